import { readFileSync } from 'node:fs';
import path from 'node:path';
import { policyDigest } from './signing-policy';
import { verdictHash, type Verdict } from './verdict';
import { CHECK_ERRORS, CHECK_REASONS, VERDICT_CHECKS } from './verdict-checks';

const POLICIES = readFileSync(path.resolve(__dirname, '../../../docs/policies.md'), 'utf8');

/** The cells of the rows of the table below a heading, without those of the head. */
function table(heading: string): string[][] {
  const [, section = ''] = POLICIES.split(`### ${heading}\n`);
  const lines = (section.split('\n#')[0] ?? '').split('\n').filter(line => line.startsWith('|'));
  return lines.slice(2).map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim().replaceAll('`', '')),
  );
}

describe('docs/policies.md', () => {
  it('lists the checks of a verdict, with the same meaning', () => {
    expect(table('Checks')).toEqual(Object.entries(VERDICT_CHECKS));
  });

  it('lists every reason of a check, with the same meaning', () => {
    expect(table('Reasons')).toEqual(Object.entries(CHECK_REASONS));
  });

  it('lists the error codes that are reasons, with the checks that they end', () => {
    expect(table('Errors as reasons')).toEqual(Object.entries(CHECK_ERRORS).map(([code, checks]) => [code, checks.join(', ')]));
  });
});

describe('what was stored before', () => {
  const digest = (character: string) => `sha256:${character.repeat(64)}` as const;

  it('keeps its digest, of a policy', () => {
    const rule = { anyOf: [{ keyRef: 'release' }, { oidcIssuer: { issuer: 'https://i.test', identity: 'a@b.test' } }] };
    expect(policyDigest({ name: 'default', version: 3, channel: 'edge', rule, unsigned: 'pending' })).toBe(
      'sha256:735429ea43c7c7187a2aa562574087d2028acd51a5979130d6f5a1e0f1814ae3',
    );
  });

  it('keeps its hash, of a verdict', () => {
    const verdict: Verdict = {
      schema: 'stellaops.io/verdict.v1',
      outcome: 'accepted',
      subject: { bundle: digest('1'), manifest: digest('2') },
      policy: { name: 'default', version: 3, digest: digest('3') },
      trust: { digest: digest('4'), epoch: 7 },
      evidence: [digest('5')],
      checks: [
        { id: 'digest', outcome: 'pass', reason: 'ok' },
        { id: 'signature', outcome: 'pass', reason: 'ok', evidence: digest('5') },
        { id: 'policy', outcome: 'pass', reason: 'ok' },
      ],
      identities: [{ kind: 'key', name: 'release', keyId: digest('6'), scheme: 'ed25519', signature: digest('5') }],
      evaluatedAt: '2026-01-17T08:00:00.000Z',
    };
    expect(verdictHash(verdict)).toBe('sha256:40112b6be2585256b8ca30cfa91377a7612333289f11e3706a921599cbcb7c5c');
  });
});
