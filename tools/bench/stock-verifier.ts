import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import type { SignedKind } from './verify-documents';

const NOTHING_REQUIRED = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };

/** What `@sigstore/verify` does of the same document by itself, with its trusted root parsed beforehand; undefined for what it does not read. */
export function stockVerification({ task, artifact, stock }: SignedKind): (() => void) | undefined {
  if (!stock) return undefined;
  const { root, key } = stock;
  const read = toTrustMaterial(TrustedRoot.fromJSON(root));
  const material = key ? { ...read, publicKey: () => ({ publicKey: key, validFor: () => true }) } : read;
  const verifier = new Verifier(material, key ? NOTHING_REQUIRED : {});
  const text = Buffer.from(task.content).toString();
  return () => void verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(text)), artifact));
}
