import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { sha256 } from '@packs/domain';
import type { ArtifactSubject } from './artifact-subject';
import { publicGoodRoot } from './public-good-root';
import { readAnyDocument } from './read-document';
import { trustedKeyFromPem } from './trust-material';
import { parseTrustedRoot, type TrustedRoot } from './trusted-root';
import type { VerificationReport } from './verification-report';
import { verifyDocument, type DocumentRequest, type RequiredIdentity } from './verify-document';

const CASES = path.resolve(__dirname, '../../../../shared/testdata/sigstore-bundles');
const REPOSITORY = 'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon';
const BEACON: RequiredIdentity = {
  issuer: 'https://token.actions.githubusercontent.com',
  identity: `${REPOSITORY}/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main`,
};

let publicGood: TrustedRoot | undefined;

/** The cases lie beside the repository, not in it. */
export const hasCases = existsSync(CASES);
export const SKIPPED = hasCases ? '' : ' (skipped: ../shared/testdata/sigstore-bundles is not beside this repository)';
export const caseNames = (): string[] => (hasCases ? readdirSync(CASES).filter(name => name !== 'a.txt') : ['none']);

/** One case of the sigstore conformance suite, with what it is to be verified by. */
export class ConformanceCase {
  constructor(readonly name: string) {}

  read(file: string): Buffer | undefined {
    const place = path.join(CASES, this.name, file);
    return existsSync(place) ? readFileSync(place) : undefined;
  }

  get bundle(): Buffer {
    return this.read('bundle.sigstore.json') ?? Buffer.alloc(0);
  }

  get artifact(): Buffer {
    return this.read('artifact') ?? readFileSync(path.join(CASES, 'a.txt'));
  }

  get byBytes(): ArtifactSubject {
    return { digest: sha256(this.artifact), bytes: this.artifact };
  }

  get byDigest(): ArtifactSubject {
    return { digest: sha256(this.artifact) };
  }

  get identity(): RequiredIdentity | undefined {
    if (this.read('key.pub')) return undefined;
    const [issuer, identity] = [this.read('issuer'), this.read('identity')].map(file => file?.toString().trim());
    return { issuer: issuer ?? BEACON.issuer, identity: identity ?? BEACON.identity };
  }

  /** @throws DomainError for roots and keys that must not be trusted */
  trust(): DocumentRequest['trust'] {
    const root = this.read('trusted_root.json');
    const key = this.read('key.pub')?.toString();
    return {
      roots: [root ? parseTrustedRoot(root) : (publicGood ??= publicGoodRoot())],
      keys: key === undefined ? [] : [trustedKeyFromPem('managed', key)],
      keyEvidence: 'verified',
    };
  }

  verify(changes: Partial<Omit<DocumentRequest, 'document'>> & { readonly content?: Uint8Array } = {}): VerificationReport {
    const { content = this.bundle, ...rest } = changes;
    return verifyDocument({
      document: () => readAnyDocument(content),
      ...rest,
      subjects: rest.subjects ?? [this.byBytes],
      trust: rest.trust ?? this.trust(),
      signer: 'signer' in rest ? rest.signer : (this.identity ?? 'key'),
    });
  }
}
