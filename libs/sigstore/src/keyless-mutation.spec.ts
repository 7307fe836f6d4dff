import { RFC3161Timestamp } from '@sigstore/core';
import { caseNames, ConformanceCase, hasCases, SKIPPED } from './conformance-cases.fixture';
import { allMutations, random, type Json, type Mutation } from './mutations.fixture';
import { VERIFICATION_REASONS } from './reasons';
import { reasonOf, reportHash } from './verification-report';

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_122);
const SCALE = Number(process.env['TEST_SCALE'] ?? 1);
/** Characters of each string that are changed, and how many mutations this comes to at the least. */
const CHANGES = Math.round(44 * SCALE);
const TIMEOUT_MS = 60_000 * Math.max(1, SCALE);
const AT_LEAST = Math.round(10_000 * SCALE);

/**
 * What nobody has signed. It is dropped before the result, so that a change of it changes nothing:
 * which is what is asserted of each.
 */
const UNAUTHENTICATED: readonly { readonly field: RegExp; readonly by: string; readonly only?: (before: Json, after: Json) => boolean }[] =
  [
    { field: /^\/mediaType changed/, by: 'sigstore bundle specification: v0.1 and v0.2 differ in what they require, and this has both' },
    { field: /^\/dsseEnvelope\/signatures\/0\/keyid /, by: 'DSSE v1.0, Protocol: keyid is an unauthenticated hint' },
    {
      field: /^\/verificationMaterial\/publicKey(\/hint)? (removed|emptied)$/,
      by: 'sigstore bundle specification: the hint may be left out',
    },
    {
      field: /^\/messageSignature\/messageDigest (removed|emptied)$/,
      by: 'sigstore bundle specification: a digest is no more than a hint of the artifact, where a key is given',
    },
    {
      field: /^\/verificationMaterial\/timestampVerificationData(\/rfc3161Timestamps(\/0)?)? (removed|emptied)$/,
      by: "RFC 3161 timestamps beside a log's promise add no time that is used",
    },
    {
      field: /^\/verificationMaterial\/tlogEntries(\/0)? (removed|emptied)$/,
      by: 'a key is trusted without a log, and no time is used then',
    },
    {
      field: /^\/verificationMaterial\/tlogEntries\/0\/inclusionProof removed$/,
      by: 'sigstore bundle specification: v0.1 asks for the promise alone',
    },
    {
      field: /\/checkpoint\/envelope (changed|removed)/,
      by: 'C2SP signed-note: signatures of unknown witnesses are ignored',
      only: differsInWitnesses,
    },
    {
      field: /\/rfc3161Timestamps\/0\/signedTimestamp changed/,
      by: 'RFC 5652 section 5.1: certificates in a CMS message are not signed',
      only: differsInCertificates,
    },
  ];

function textOf(value: Json, field: 'envelope' | 'signedTimestamp'): string {
  const { verificationMaterial } = value as unknown as Bundle;
  return field === 'envelope'
    ? (verificationMaterial.tlogEntries[0]?.inclusionProof.checkpoint.envelope ?? '')
    : (verificationMaterial.timestampVerificationData.rfc3161Timestamps[0]?.signedTimestamp ?? '');
}

/** What is zero or empty may be left out and means the same (protobuf JSON mapping, "Default values"). */
function withoutZeros(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutZeros);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== '0' && !(Array.isArray(member) && member.length === 0));
  return Object.fromEntries(members.map(([name, member]) => [name, withoutZeros(member)]));
}

interface Bundle {
  readonly verificationMaterial: {
    readonly tlogEntries: readonly { readonly inclusionProof: { readonly checkpoint: { readonly envelope: string } } }[];
    readonly timestampVerificationData: { readonly rfc3161Timestamps: readonly { readonly signedTimestamp: string }[] };
  };
}

/** The log's own line is the first in all cases. */
function differsInWitnesses(before: Json, after: Json): boolean {
  const signed = (value: Json): string => {
    const [note = '', lines = ''] = textOf(value, 'envelope').split('\n\n');
    return `${note}\n\n${lines.split('\n')[0] ?? ''}`;
  };
  return signed(before) === signed(after);
}

function differsInCertificates(before: Json, after: Json): boolean {
  const signed = (value: Json): string[] => {
    const { root } = RFC3161Timestamp.parse(Buffer.from(textOf(value, 'signedTimestamp'), 'base64'));
    const signedData = root.subs[1]?.subs[1]?.subs[0];
    return (signedData?.subs ?? []).filter(part => !part.tag.isContextSpecific(0)).map(part => part.toDER().toString('hex'));
  };
  return signed(before).join() === signed(after).join();
}

function isUnauthenticated(before: Json, { at, what, document }: Mutation): boolean {
  return UNAUTHENTICATED.some(({ field, only }) => field.test(`${at} ${what}`) && (only?.(before, document) ?? true));
}

(hasCases ? describe : describe.skip)(`accepted conformance cases with one field changed, seed ${SEED}${SKIPPED}`, () => {
  const next = random(SEED);
  let count = 0;

  it.each(caseNames().filter(name => !name.endsWith('_fail')))(
    '%s is not accepted but for fields that nobody signs, nor refused without a reason',
    name => {
      const one = new ConformanceCase(name);
      const before: Json = JSON.parse(one.bundle.toString());
      const canonical = JSON.stringify(withoutZeros(before));
      const [trust, hash, subjects] = [one.trust(), reportHash(one.verify()), [one.byBytes]];
      const { identity } = one;
      const wrong: string[] = [];
      for (const mutation of allMutations(before, next, CHANGES)) {
        count++;
        const content = Buffer.from(JSON.stringify(mutation.document));
        const report = one.verify({ content, trust, subjects, signer: identity });
        const reason = reasonOf(report);
        if (JSON.stringify(withoutZeros(mutation.document)) === canonical) continue;
        const isFine =
          reason === undefined
            ? isUnauthenticated(before, mutation) && reportHash(report) === hash
            : reason in VERIFICATION_REASONS && reason !== 'verification-failed' && reason !== 'document-unreadable';
        if (!isFine) wrong.push(`${mutation.at} ${mutation.what}: ${reason ?? 'accepted'}`);
      }
      expect(wrong).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(`were ${AT_LEAST} mutations at the least`, () => {
    expect(count).toBeGreaterThanOrEqual(AT_LEAST);
  });
});
