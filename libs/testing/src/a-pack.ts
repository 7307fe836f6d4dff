import { PACK_API_VERSION, type PackManifest, type PackMetadata } from '@packs/domain';

export type PackChanges = Partial<Omit<PackManifest, 'metadata'>> & { readonly metadata?: Partial<PackMetadata> };

/** A task pack's manifest, `acme.hello` 1.0.0 unless told otherwise. */
export function aPack({ metadata, ...changes }: PackChanges = {}): PackManifest {
  return {
    apiVersion: PACK_API_VERSION,
    kind: 'TaskPack',
    metadata: { packId: 'acme.hello', name: 'Hello', version: '1.0.0', ...metadata },
    spec: { steps: [{ id: 'greet', run: ['echo'] }] },
    ...changes,
  };
}
