import { publicUrl } from './public-url';

const host = (value: string | undefined) => ({ headers: { host: value, 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https' } });

describe('publicUrl', () => {
  it('is what is configured, else the host that was asked for', () => {
    expect(publicUrl(host('other.test'), 'https://packs.test')).toBe('https://packs.test');
    for (const name of ['packs.test', 'packs.test:8080', '127.0.0.1:80', '[::1]:8080']) {
      expect(publicUrl(host(name), undefined)).toBe(`http://${name}`);
    }
  });

  it.each([undefined, '', 'a b', 'packs.test"', 'packs.test/path', 'user@packs.test', 'packs.test:port', 'a,b'])(
    'repeats no host %j',
    name => {
      expect(publicUrl(host(name), undefined)).toBe('http://localhost');
    },
  );
});
