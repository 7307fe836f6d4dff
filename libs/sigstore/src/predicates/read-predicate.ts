import { DomainError, MEDIA_TYPES, type AttestationMediaType } from '@packs/domain';
import { ATTESTATION_LIMITS } from '../attestation-limits';
import { dsseEnvelope } from '../dsse-envelope';
import { SignatureFault } from '../signature-fault';
import { readSigstoreBundle } from '../sigstore-bundle';
import { JsonFault, parseStrictJson } from '../strict-json';
import { isObject } from './bounded';
import { readSbom, sbomFormat, type Sbom } from './sbom';
import { readSlsaProvenance, SLSA_PROVENANCE, type SlsaProvenance } from './slsa-provenance';
import { readTestResult, TEST_RESULT, type TestResult } from './test-result';

/** What is known of the statement's predicate; of other types their name alone. */
export type ReadPredicate =
  | { readonly kind: 'build'; readonly build: SlsaProvenance }
  | { readonly kind: 'sbom'; readonly sbom: Sbom }
  | { readonly kind: 'test'; readonly test: TestResult }
  | { readonly kind: 'other' };

/**
 * What a document says that was verified: nothing is verified here.
 * @throws DomainError ERR_PACK_CORRUPT for a document that cannot have been verified
 */
export function readPredicate(mediaType: AttestationMediaType, content: Uint8Array): ReadPredicate {
  const { predicateType, predicate } = statementOf(mediaType, content);
  if (predicateType === SLSA_PROVENANCE) return { kind: 'build', build: readSlsaProvenance(predicate) };
  if (predicateType === TEST_RESULT) return { kind: 'test', test: readTestResult(predicate) };
  const format = sbomFormat(predicateType);
  return format ? { kind: 'sbom', sbom: readSbom(format, predicate) } : { kind: 'other' };
}

function statementOf(mediaType: AttestationMediaType, content: Uint8Array): { predicateType: string; predicate: unknown } {
  try {
    const json = parseStrictJson(content, ATTESTATION_LIMITS);
    const document = mediaType === MEDIA_TYPES.sigstoreBundle ? readSigstoreBundle(json) : dsseEnvelope(json, '');
    const statement = document.kind === 'envelope' ? parseStrictJson(document.payload, ATTESTATION_LIMITS) : undefined;
    if (isObject(statement)) return { predicateType: String(statement['predicateType']), predicate: statement['predicate'] };
  } catch (cause) {
    if (!(cause instanceof SignatureFault) && !(cause instanceof JsonFault)) throw cause;
  }
  throw new DomainError('ERR_PACK_CORRUPT', 'a verified attestation cannot be read');
}
