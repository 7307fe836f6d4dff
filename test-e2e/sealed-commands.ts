const DIGEST = `sha256:${'0'.repeat(64)}`;
const BLOB = { digest: DIGEST, size: 1, objectKey: 'key' };

/** Commands that a sealed registry takes: the two ways a kit comes in, what ends a seal, and what keeps its bytes whole. */
export const OPEN_COMMANDS: readonly string[] = [
  'cmd.mirror-worker.receive-kit',
  'cmd.publisher.import-kit',
  'cmd.publisher.update-seal',
  'cmd.publisher.approve-unseal',
  'cmd.publisher.quarantine-blob',
  'cmd.publisher.replace-blob',
  'cmd.publisher.start-scrub',
  'cmd.publisher.get-scrub',
  'cmd.publisher.cancel-scrub',
];

/**
 * A well-formed request of every command that changes what a tenant has, by its subject.
 * @param manifest one that is stored: it is read before anything is asked of the tenant
 */
export function commandsOf(tenant: string, manifest: typeof BLOB): Readonly<Record<string, object>> {
  const origin = { tenant, actor: 'client:somebody', source: null };
  const version = { ...origin, packId: 'hello', version: '1.0.0' };
  const note = { reason: null, replacement: null };
  const settings = { name: 'north', kind: 'directory', location: 'north', selection: {}, intervalSeconds: null, enabled: true };
  const signature = { ...BLOB, mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json' };
  return {
    'cmd.publisher.publish-pack': {
      ...origin,
      ...{
        packId: null,
        version: null,
        channel: 'edge',
        bundle: BLOB,
        signatures: [signature],
        manifestDigest: null,
        idempotencyKey: 'key',
      },
    },
    'cmd.publisher.put-manifest': {
      ...origin,
      ...{ repository: 'app', tags: ['v1'], mediaType: 'application/vnd.oci.image.manifest.v1+json', manifest },
    },
    'cmd.publisher.delete-content': { ...origin, repository: 'app', target: { tag: 'v1' } },
    'cmd.publisher.deprecate-version': { ...version, ...note },
    'cmd.publisher.archive-version': { ...version, ...note },
    'cmd.publisher.promote-version': { ...version, channel: 'stable', from: null },
    'cmd.publisher.add-attestation': { ...version, attestation: { ...BLOB, mediaType: 'application/vnd.dsse.envelope.v1+json' } },
    'cmd.publisher.update-channel': { ...origin, name: 'night', description: '' },
    'cmd.publisher.update-trust': { ...origin, material: BLOB, keyIds: [] },
    'cmd.publisher.rotate-trust': { ...origin, bundle: BLOB, material: BLOB },
    'cmd.publisher.update-policy': {
      ...origin,
      name: 'default',
      channel: null,
      packType: null,
      rule: { keyRef: 'other' },
      unsigned: 'allow',
    },
    'cmd.publisher.update-visibility': { ...origin, shareWith: ['*'] },
    'cmd.publisher.update-exporters': { ...origin, keys: BLOB, keyIds: [] },
    'cmd.mirror-worker.create-mirror': { ...origin, settings },
    'cmd.mirror-worker.update-mirror': { ...origin, id: 'any', settings },
    'cmd.mirror-worker.delete-mirror': { ...origin, id: 'any' },
    'cmd.mirror-worker.sync-mirror': { ...origin, id: 'any', verify: false },
    'cmd.mirror-worker.fetch-artifact': { ...origin, reference: 'registry.example/acme/hello:1.0.0', maxBundleBytes: 1 },
    'cmd.mirror-worker.carry-referrers': {
      ...origin,
      ...{ reference: 'registry.example/acme/hello:1.0.0', packId: 'hello', subject: DIGEST, carried: [] },
    },
    'cmd.mirror-worker.export-kit': { ...origin, id: '01ARZ3NDEKTSV4RRFFQ69G5FAV', selection: {}, seq: null },
  };
}
