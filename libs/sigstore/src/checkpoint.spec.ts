import { generateKeyPairSync } from 'node:crypto';
import { ConformanceCase, hasCases, SKIPPED } from './conformance-cases.fixture';
import { ownCheckpoint, type LogAuthority } from './checkpoint';
import { reasonOf } from './verification-report';

const ROOT = Buffer.alloc(32, 7);
const LOG: LogAuthority = {
  baseURL: 'https://log.test',
  logID: Buffer.from('0102030405', 'hex'),
  publicKey: generateKeyPairSync('ed25519').publicKey,
  validFor: { start: new Date(0), end: new Date(8.64e15) },
};
const SIGNATURE = Buffer.from('01020304aabbcc', 'hex').toString('base64');
const WITNESS = `\u2014 witness.test ${Buffer.from('0909090999', 'hex').toString('base64')}`;
const OWN = `\u2014 log.test ${SIGNATURE}`;
const NOTE = `log.test\n7\n${ROOT.toString('base64')}\n`;
const CLAIMED = { rootHash: ROOT, treeSize: '7' };

const read = (envelope: string, claimed = CLAIMED): string => ownCheckpoint(envelope, claimed, LOG);

describe('a checkpoint', () => {
  it('is left with the signature of its log, whatever witnesses say', () => {
    for (const lines of [[OWN], [OWN, WITNESS], [WITNESS, OWN, WITNESS]])
      expect(read(`${NOTE}\n${lines.join('\n')}\n`)).toBe(`${NOTE}\n${OWN}\n`);
  });

  it.each([
    ['nothing', ''],
    ['no signature', `${NOTE}\n`],
    ['no line feed at its end', `${NOTE}\n${OWN}`],
    ['the signature of a witness alone', `${NOTE}\n${WITNESS}\n`],
    ['the signature of its log twice', `${NOTE}\n${OWN}\n${OWN}\n`],
    ['a line that is no signature', `${NOTE}\n${OWN}\nx\n`],
    ['an empty line among its signatures', `${NOTE}\n${OWN}\n\n${WITNESS}\n`],
    ['a hyphen for the dash', `${NOTE}\n- log.test ${SIGNATURE}\n`],
    ['sloppy base64', `${NOTE}\n${OWN.replace('=', '')}\n`],
    ['the key hint of another log', `${NOTE}\n\u2014 log.test ${Buffer.from('05020304aabbcc', 'hex').toString('base64')}\n`],
    ['a part of the name of the log', `${NOTE}\n\u2014 log ${SIGNATURE}\n`],
    ['the name of the log as a pattern', `${NOTE}\n\u2014 l.g.test ${SIGNATURE}\n`],
    ['another origin', `${NOTE.replace('log.test', 'other.test')}\n${OWN}\n`],
    ['another size', `${NOTE.replace('\n7\n', '\n8\n')}\n${OWN}\n`],
    ['its size in another form', `${NOTE.replace('\n7\n', '\n07\n')}\n${OWN}\n`],
    ['another root', `${NOTE.replace(ROOT.toString('base64'), Buffer.alloc(32, 8).toString('base64'))}\n${OWN}\n`],
    ['a root of another length', `${NOTE.replace(ROOT.toString('base64'), 'AAAA')}\n${OWN}\n`],
    ['too many signatures', `${NOTE}\n${OWN}\n${`${WITNESS}\n`.repeat(32)}`],
    ['more characters than it may have', `${NOTE}\n${OWN}\n${WITNESS}${'A'.repeat(16 * 1024)}\n`],
  ])('with %s is refused', (_, envelope) => {
    expect(() => read(envelope)).toThrow(expect.objectContaining({ code: 'checkpoint-invalid' }));
  });
});

(hasCases ? describe : describe.skip)(`the name in a checkpoint${SKIPPED}`, () => {
  const one = new ConformanceCase('happy-path-v0.3-new-mediaType');

  // Taken as a regular expression these need longer than anybody waits.
  it.each(['(a+)+$', '(.*)*x', '((((a*)*)*)*)b', '[', '(?<=a', 'rekor.sigstore.de.'])('is never a pattern: %s', name => {
    const bundle = JSON.parse(one.bundle.toString());
    const { checkpoint } = bundle.verificationMaterial.tlogEntries[0].inclusionProof;
    for (const place of ['\u2014 rekor.sigstore.dev ', 'rekor.sigstore.dev - ']) {
      const envelope = checkpoint.envelope.replace(place, place.replace('rekor.sigstore.dev', name));
      const changed = { ...checkpoint, envelope };
      bundle.verificationMaterial.tlogEntries[0].inclusionProof.checkpoint = changed;
      const began = performance.now();
      expect(reasonOf(one.verify({ content: Buffer.from(JSON.stringify(bundle)) }))).toBe('checkpoint-invalid');
      expect(performance.now() - began).toBeLessThan(2000);
    }
  });
});
