const base = {
  testEnvironment: 'node',
  transform: { '\\.[cm]?[jt]s$': ['@swc/jest'] },
  // ESM-only packages that the sources reach through `require`.
  transformIgnorePatterns: ['/node_modules/(?!(@noble|@secretlint|boundary|jose|request-filtering-agent|structured-source)/)'],
  moduleNameMapper: { '^@packs/(.*)$': '<rootDir>/libs/$1/src/index.ts' },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.data/'],
  rootDir: __dirname,
};

module.exports = {
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: ['<rootDir>/{apps,libs,tools}/**/*.spec.ts'],
      testPathIgnorePatterns: ['\\.int\\.spec\\.ts$'],
    },
    {
      ...base,
      displayName: 'int',
      testMatch: ['<rootDir>/{apps,libs,tools}/**/*.int.spec.ts'],
      globalSetup: '<rootDir>/tools/testing/global-setup.cjs',
      globalTeardown: '<rootDir>/tools/testing/global-teardown.cjs',
    },
    {
      ...base,
      displayName: 'e2e',
      testEnvironment: '<rootDir>/test-e2e/failure-logs.cjs',
      testMatch: ['<rootDir>/test-e2e/**/*.spec.ts'],
      globalSetup: '<rootDir>/test-e2e/global-setup.cjs',
      globalTeardown: '<rootDir>/test-e2e/global-teardown.cjs',
    },
  ],
};
