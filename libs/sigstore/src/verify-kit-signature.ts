import { KIT_PREDICATE_TYPE } from '@packs/contracts';
import { DomainError, MEDIA_TYPES, type Digest, type TrustedKey } from '@packs/domain';
import { verifyAttestation } from './verify-attestation';

export interface KitExporter {
  readonly name: string;
  readonly keyId: Digest;
}

/**
 * Who of the trusted exporters signed, and whether it was about `subject`: a kit as a whole, or its manifest. A signature about something else
 * is a value: the kit may have been damaged, and what is wrong with it is worth finding out.
 * @throws DomainError ERR_KIT_SIGNER unless a trusted exporter signed a statement about a kit
 */
export function verifyKitSignature(
  content: Uint8Array,
  subject: Digest,
  keys: readonly TrustedKey[],
): { exporter: KitExporter; isAbout: boolean } {
  const result = verifyAttestation({ mediaType: MEDIA_TYPES.sigstoreBundle, content, subjects: [subject], keys });
  if (result.outcome === 'signature-refused') throw notAnExporter(result.message);
  if (result.outcome === 'verified' && result.predicateType !== KIT_PREDICATE_TYPE)
    throw notAnExporter('what was signed is no statement about a kit');
  const [signer] = result.signers;
  if (!signer) throw notAnExporter('nobody signed');
  return { exporter: { name: signer.key.name, keyId: signer.keyId }, isAbout: result.outcome === 'verified' };
}

function notAnExporter(message: string): DomainError {
  return new DomainError('ERR_KIT_SIGNER', `the kit is not signed by an exporter that this tenant trusts: ${message}`);
}
