import { VerifyAttestation, type AddAttestationReply, type VerifyAttestationRequest } from '@packs/contracts';
import { isSatisfied, MEDIA_TYPES, policyDigest, selectPolicy, sha256, verdictHash, type Verdict } from '@packs/domain';
import { PostgresContentCatalog } from '@packs/persistence';
import { AddAttestation } from './add-attestation/add-attestation';
import type { JudgingPublisher } from './judging-publisher.fixture';

const SLSA = 'https://slsa.dev/provenance/v1';

type Added = Exclude<AddAttestationReply, { outcome: 'rejected' | 'waiting' }>;

/** Statements by named signers; whose name is trusted is believed. */
export class AttestingPublisher {
  /** Runs before each verdict. */
  meanwhile: () => Promise<unknown> = () => Promise.resolve();

  constructor(readonly publisher: JudgingPublisher) {
    publisher.commands.answer(VerifyAttestation, async request => {
      await this.meanwhile();
      return this.judge(request);
    });
  }

  get addAttestation(): AddAttestation {
    const { unitOfWork, commands, blobs, clock } = this.publisher;
    return new AddAttestation(unitOfWork, commands, blobs, clock);
  }

  /** A statement about the version's bundle, or about something else. */
  async send(signer: string, { provisional = true, about = '' } = {}): Promise<AddAttestationReply> {
    const { publisher } = this;
    const [row] = await publisher.rows<{ digest: string }>(`select bundle_digest as digest from registry.pack_versions limit 1`);
    const subject = [{ name: 'b', digest: { sha256: about || (row?.digest ?? '').slice('sha256:'.length) } }];
    const statement = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType: SLSA, predicate: { signer } };
    const content = JSON.stringify({
      payload: Buffer.from(JSON.stringify(statement)).toString('base64'),
      payloadType: 'application/vnd.in-toto+json',
      signatures: [{ sig: Buffer.from(signer).toString('base64') }],
    });
    const source = (async function* () {
      yield Buffer.from(content);
    })();
    const [blob] = await new PostgresContentCatalog(publisher.dataSource).record([await publisher.blobs.write(source, { maxBytes: 1e6 })]);
    if (!blob) throw new Error('nothing was recorded');
    const { digest, size, objectKey } = blob;
    const attestation = { digest, size, objectKey, mediaType: MEDIA_TYPES.dsseEnvelope };
    return this.addAttestation.execute({ ...publisher.origin, packId: 'acme.hello', version: '1.0.0', attestation, provisional });
  }

  async taken(...parts: Parameters<AttestingPublisher['send']>): Promise<Added> {
    const reply = await this.send(...parts);
    if (reply.outcome === 'rejected' || reply.outcome === 'waiting') throw new Error(reply.outcome);
    return reply;
  }

  private judge({ channel, packType, attestation, subject, policies, trust, evaluatedAt }: VerifyAttestationRequest) {
    const { publisher } = this;
    const content = publisher.blobs.objects.get(attestation.objectKey) ?? Buffer.alloc(0);
    const name = sha256(content) === attestation.digest ? signerOf(content) : undefined;
    const policy = selectPolicy(policies, { channel, packType });
    const identities =
      name !== undefined && publisher.trusted.has(name)
        ? [{ kind: 'key', name, keyId: sha256(name), scheme: 'ed25519', signature: attestation.digest } as const]
        : [];
    const isAccepted = policy !== undefined && isSatisfied(policy.rule, identities);
    const reason = isAccepted ? 'ok' : refusalOf(name);
    const verdict: Verdict = {
      schema: 'stellaops.io/verdict.v1',
      outcome: isAccepted ? 'accepted' : 'rejected',
      subject: { bundle: subject.bundle, attestation: attestation.digest },
      policy: policy ? { name: policy.name, version: policy.version, digest: policyDigest(policy) } : null,
      trust: { digest: trust.digest, epoch: trust.epoch },
      evidence: [attestation.digest],
      checks: [{ id: 'signature', outcome: isAccepted ? 'pass' : 'fail', reason }],
      identities,
      evaluatedAt,
    };
    return { verdict, verdictHash: verdictHash(verdict), faults: [], predicateType: isAccepted ? SLSA : null };
  }
}

function signerOf(content: Buffer): string {
  const document = JSON.parse(content.toString()) as { signatures: { sig: string }[] };
  return Buffer.from(document.signatures[0]?.sig ?? '', 'base64').toString();
}

/** Nobody's name can be read in what is damaged. */
function refusalOf(name: string | undefined) {
  if (name === undefined) return 'ERR_PACK_DIGEST_MISMATCH';
  return name === 'liar' ? 'ERR_PACK_ATTESTATION_INVALID' : 'ERR_PACK_SIGNATURE_UNTRUSTED';
}
