import { findSecrets, SECRET_ENGINE } from './find-secrets';
import { harmlessTexts, secretSamples } from './secret-samples.fixture';

async function rulesOf(text: string, file = 'config.yaml', line = 1): Promise<string[]> {
  const found = await findSecrets([{ path: `files/${file}`, line, bytes: Buffer.from(text) }]);
  return found.map(({ rule }) => rule);
}

describe('the search for secrets', () => {
  it('finds at least 95 % of the samples of its rules, each by the rule it is a sample of', async () => {
    const samples = secretSamples();
    const missed: string[] = [];
    for (const { rule, text, file } of samples) if (!(await rulesOf(text, file)).includes(rule)) missed.push(rule);
    expect(samples.length).toBeGreaterThan(60);
    expect({ missed, share: 1 - missed.length / samples.length }).toEqual({ missed: [], share: 1 });
  });

  it('finds nothing in what is harmless', async () => {
    for (const { text, file } of harmlessTexts()) expect([text.slice(0, 60), await rulesOf(text, file)]).toEqual([text.slice(0, 60), []]);
  });

  it('tells the path, the line and the rule, and nothing of the secret', async () => {
    for (const { rule, text, secret, file } of secretSamples()) {
      const found = await findSecrets([{ path: file ?? 'a.txt', line: 41, bytes: Buffer.from(`first\n\n${text}`) }]);
      const told = JSON.stringify(found);
      const parts = Array.from({ length: secret.length - 7 }, (_, at) => secret.slice(at, at + 8)).filter(part => !rule.includes(part));
      expect(parts.filter(part => told.includes(part))).toEqual([]);
      for (const finding of found) expect(Object.keys(finding).toSorted()).toEqual(['line', 'path', 'rule']);
      if (!file?.endsWith('.json')) expect(found.map(({ line }) => line)).toContain(43);
    }
  });

  it('is not switched off by a comment in the file', async () => {
    const [sample] = secretSamples();
    expect(await rulesOf(`# secretlint-disable\n${sample?.text} # secretlint-disable-line`)).toEqual([sample?.rule]);
  });

  it('opens no file, whatever the pack calls its own', async () => {
    expect(await rulesOf('x', '../../../../proc/self/environ.p12')).toEqual([]);
    expect(await rulesOf(secretSamples()[2]?.text ?? '', '/etc/x.json')).toContain('gcp/PrivateKeyJSON');
  });

  it('ends in time whatever the text', async () => {
    const hostile = [
      'postgres://a:',
      'https://a:',
      '-----BEGIN PRIVATE KEY-----',
      ' ',
      'xoxb-a-',
      'aws_secret_access_key  ',
      'AccountKey=A',
      'a',
    ];
    const begun = performance.now();
    for (const part of hostile) await rulesOf(part.repeat(Math.ceil((256 * 1024) / part.length)));
    expect(performance.now() - begun).toBeLessThan(10_000);
  }, 30_000);

  it('says which rules looked', () => {
    expect(SECRET_ENGINE).toEqual({
      name: 'secretlint',
      version: '13.0.7',
      rules: expect.stringMatching(/^13\.0\.7 sha256:[0-9a-f]{64}$/),
    });
  });
});
