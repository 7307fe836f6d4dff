import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';
import { boundaries } from './tools/checks/boundaries.mjs';
import { packsPlugin } from './tools/checks/lint-rules.mjs';

const TESTS = ['**/*.spec.ts', '**/*.fixture.ts'];

const SYNTAX = [
  { selector: 'ExportAllDeclaration', message: 'Name what is exported.' },
  { selector: 'ExportDefaultDeclaration', message: 'Use a named export.' },
];
const ENVIRONMENT = { object: 'process', property: 'env', message: 'Only libs/config reads the environment.' };

export default tseslint.config(
  { ignores: ['**/node_modules/', 'dist*/', '.data/', '.nx/', 'coverage/', 'tools/lint-fixtures/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    plugins: { packs: packsPlugin },
    languageOptions: { globals: Object.fromEntries(Object.getOwnPropertyNames(globalThis).map(name => [name, 'readonly'])) },
    rules: {
      eqeqeq: 'error',
      // Control characters are what readers of untrusted text look for.
      'no-control-regex': 'off',
      'no-else-return': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'max-lines': ['error', { max: 400 }],
      'max-params': ['error', { max: 6 }],
      'packs/function-size': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'packs/disable-reason': 'error',
      'packs/session-setting': 'error',
    },
  },
  { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs', globals: { __dirname: 'readonly' } } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommended],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        emitDecoratorMetadata: true,
        experimentalDecorators: true,
      },
    },
    rules: {
      'no-undef': 'off',
      'no-restricted-syntax': ['error', ...SYNTAX],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description', 'ts-ignore': true }],
      // Silent in files with decorators: there the import of a class is what dependency injection sees at run time.
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['{apps,libs,tools,test-e2e}/**/*.ts'],
    plugins: { '@nx': nx },
    rules: { '@nx/enforce-module-boundaries': ['error', boundaries()] },
  },
  { files: ['apps/**/*.ts', 'libs/**/*.ts'], rules: { 'no-console': 'error' } },
  {
    // The stack and the Authority are launchers: they hand their environment on. The commands have theirs from their main.ts.
    files: ['apps/**/*.ts', 'libs/**/*.ts', 'tools/{cli,generate,migrate}/**/*.ts'],
    ignores: ['libs/config/**', 'tools/cli/*/main.ts'],
    rules: { 'no-restricted-properties': ['error', ENVIRONMENT] },
  },
  {
    // Decorators for HTTP stay in the HTTP contracts; the rest of the contracts is plain schema.
    files: ['libs/contracts/src/**/*.ts'],
    ignores: ['libs/contracts/src/http/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: ['@nestjs/*', 'class-validator', 'class-transformer'] }] },
  },
  {
    files: TESTS,
    rules: {
      '@nx/enforce-module-boundaries': ['error', boundaries({ tests: true })],
      'max-lines': ['error', { max: 600 }],
      // Test vectors are written as their specification writes them.
      'no-loss-of-precision': 'off',
      'no-restricted-properties': [
        'error',
        ...['mock', 'doMock', 'setMock'].map(property => ({ object: 'jest', property, message: 'Use a fake of the port.' })),
      ],
    },
  },
  // Specs with a real database try what roles and row security must refuse.
  { files: ['**/*.int.spec.ts'], rules: { 'packs/session-setting': 'off' } },
  {
    // The table of commands is made from the command lines themselves.
    files: ['tools/generate/cli-verbs.ts'],
    rules: { '@nx/enforce-module-boundaries': ['error', { ...boundaries(), allow: ['../cli/**'] }] },
  },
  {
    // They start the stack as `npm start` does, and ask its Authority for tokens.
    files: ['test-e2e/**/*.ts'],
    rules: { '@nx/enforce-module-boundaries': ['error', { ...boundaries({ tests: true }), allow: ['../tools/**'] }] },
  },
);
