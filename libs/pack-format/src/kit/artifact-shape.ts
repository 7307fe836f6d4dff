import type { KitVersion } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import { kitFault } from './kit-fault';

/** What an OCI manifest refers to; the little that is kept of it while a kit passes. */
export interface ArtifactShape {
  readonly artifactType: unknown;
  readonly config: unknown;
  readonly layers: readonly unknown[];
  readonly subject: unknown;
}

/** The shape of an OCI manifest, or undefined for bytes that are none. */
export function shapeOf(bytes: Buffer): ArtifactShape | undefined {
  if (bytes[0] !== 0x7b) return undefined;
  try {
    const { schemaVersion, artifactType, config, layers, subject } = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
    if (schemaVersion !== 2 || !Array.isArray(layers)) return undefined;
    return { artifactType, config: digestOf(config), layers: layers.map(digestOf), subject: digestOf(subject) };
  } catch {
    return undefined;
  }
}

function digestOf(descriptor: unknown): unknown {
  return typeof descriptor === 'object' && descriptor !== null && 'digest' in descriptor ? descriptor.digest : undefined;
}

/** @throws DomainError ERR_KIT_INDEX when an OCI manifest of the version holds or names anything but what the kit's manifest says */
export function requireShapes(version: KitVersion, shapes: ReadonlyMap<Digest, ArtifactShape>): void {
  const { manifest, config, bundle, signatures, attestations } = version;
  const expected = [
    { manifest, config: config.digest, layer: bundle.digest, subject: undefined },
    ...[...signatures, ...attestations].map(referrer => ({
      manifest: referrer.manifest,
      config: referrer.config.digest,
      layer: referrer.document.digest,
      subject: manifest.digest,
    })),
  ];
  for (const one of expected) {
    const shape = shapes.get(one.manifest.digest);
    const fits =
      shape?.artifactType === one.manifest.artifactType &&
      shape.config === one.config &&
      shape.subject === one.subject &&
      shape.layers.length === 1 &&
      shape.layers[0] === one.layer;
    if (!fits) {
      throw kitFault(
        'ERR_KIT_INDEX',
        `the OCI manifest ${one.manifest.digest} of ${version.packId} ${version.version} is not what the kit says of it`,
        {
          digest: one.manifest.digest,
        },
      );
    }
  }
}
