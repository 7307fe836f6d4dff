import { open, readFile, stat } from 'node:fs/promises';
import { DomainError, isDigest, sha256, SIGNATURE_SCHEMES, type SignatureScheme } from '@packs/domain';
import {
  MAX_ATTESTATION_BYTES,
  MAX_TRUSTED_ROOT_BYTES,
  parseTrustedRoot,
  publicGoodRoot,
  readAnyDocument,
  reasonOf,
  verifyDocument,
  type ArtifactSubject,
  type DocumentTrust,
  type RequiredIdentity,
} from '@packs/sigstore';
import { Command, Option } from 'commander';
import { measure, readBundle } from '../pack/pack-files';
import { readKeys } from '../pack/verify/read-keys';

interface VerifyBundleOptions {
  readonly bundle: string;
  readonly certificateIdentity?: string;
  readonly certificateOidcIssuer?: string;
  readonly key?: string;
  readonly scheme?: SignatureScheme;
  readonly trustedRoot?: string;
}

/** Files up to this size are held in memory; of larger ones the digest alone is at hand. */
const HELD_BYTES = 64 * 1024 * 1024;
const LIMITS = { maxBytes: MAX_ATTESTATION_BYTES, maxDepth: 64 };

export function verifyBundleCommand(): Command {
  return new Command('verify-bundle')
    .description('Checks a signature document of a file or digest on this machine; says nothing when it is good')
    .argument('<file or digest>', 'what is to have been signed: a file, or sha256:<hex>')
    .requiredOption('--bundle <file>', 'a sigstore bundle, a bundle of cosign 1 or 2, a DSSE envelope or a raw signature')
    .option('--certificate-identity <identity>', 'the exact mail address or URI the certificate has to name')
    .option('--certificate-oidc-issuer <url>', 'the exact issuer that has to have vouched for it')
    .option('--key <file>', 'a public key (PEM) that has to have signed, in place of an identity')
    .addOption(new Option('--scheme <scheme>', 'of the key; absent: the usual one of its type').choices(SIGNATURE_SCHEMES))
    .option('--trusted-root <file>', "a sigstore trusted_root.json; absent: that of sigstore's public instance")
    .action(async (target: string, options: VerifyBundleOptions) => {
      const signer = requiredSigner(options);
      const content = await readCapped(options.bundle, LIMITS.maxBytes);
      const report = verifyDocument({
        document: () => readAnyDocument(content, LIMITS),
        subjects: [await subjectOf(target)],
        trust: await trustOf(options),
        signer,
        limits: LIMITS,
      });
      const reason = reasonOf(report);
      if (reason === undefined) return;
      throw new DomainError('ERR_PACK_SIGNATURE_INVALID', `${reason}: ${report.message ?? 'the signature is not accepted'}`);
    });
}

function requiredSigner({ certificateIdentity, certificateOidcIssuer, key }: VerifyBundleOptions): 'key' | RequiredIdentity {
  const isByKey = key !== undefined && certificateIdentity === undefined && certificateOidcIssuer === undefined;
  if (isByKey) return 'key';
  if (key !== undefined || !certificateIdentity || !certificateOidcIssuer) {
    throw new DomainError('ERR_PACK_REQUEST_INVALID', 'give either --key, or both --certificate-identity and --certificate-oidc-issuer');
  }
  return { issuer: certificateOidcIssuer, identity: certificateIdentity };
}

/** What a key signed may have been logged as well: then the log has to be right. */
async function trustOf({ key, scheme, trustedRoot }: VerifyBundleOptions): Promise<DocumentTrust> {
  const root = trustedRoot === undefined ? publicGoodRoot() : parseTrustedRoot(await readCapped(trustedRoot, MAX_TRUSTED_ROOT_BYTES));
  return { roots: [root], keys: key === undefined ? [] : await readKeys([key], scheme), keyEvidence: 'verified' };
}

async function subjectOf(target: string): Promise<ArtifactSubject> {
  if (isDigest(target)) return { digest: target };
  const { size } = await stat(target);
  if (size > HELD_BYTES) return { digest: (await measure(readBundle(target))).digest };
  const bytes = await readFile(target);
  return { digest: sha256(bytes), bytes };
}

/** One byte more than the limit, at the most: the parser says what is wrong with that. */
async function readCapped(file: string, limit: number): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.alloc(limit + 1);
    let filled = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled);
      filled += bytesRead;
      if (bytesRead === 0 || filled === buffer.length) return buffer.subarray(0, filled);
    }
  } finally {
    await handle.close();
  }
}
