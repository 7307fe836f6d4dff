import { blobStoreUrl, between, days, oneOf, port, positive, registries, text, urlOf } from './parsers';
import { PROCESS_SETTINGS } from './process-settings';
import { ConfigError, readSettings, type Setting } from './settings';

const SETTINGS = {
  url: { name: 'APP_URL', doc: 'Where it is', example: 'https://app.example', parse: urlOf('https:', 'http:') },
  port: { name: 'APP_PORT', doc: 'Its port', fallback: '8080', parse: port },
  password: { name: 'APP_PASSWORD', doc: 'Its password', secret: true, parse: password },
  note: { name: 'APP_NOTE', doc: 'A note', optional: true, parse: text as (value: string) => string | undefined },
} satisfies Record<string, Setting<unknown>>;

function password(value: string): string {
  if (value.length > 3) return value;
  throw new Error('must have more than 3 characters');
}

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readSettings(SETTINGS, env);
    return [];
  } catch (error) {
    return error instanceof ConfigError ? error.faults : [String(error)];
  }
}

const GOOD = { APP_URL: 'https://app.example', APP_PASSWORD: 'hunter22' };

describe('readSettings', () => {
  it('reads values, falls back, and leaves out what is optional', () => {
    expect(readSettings(SETTINGS, GOOD)).toEqual({ url: 'https://app.example', port: 8080, password: 'hunter22' });
    expect(readSettings(SETTINGS, { ...GOOD, APP_PORT: '0', APP_NOTE: 'hello' })).toMatchObject({ port: 0, note: 'hello' });
  });

  it('takes an empty or blank variable for an absent one', () => {
    expect(readSettings(SETTINGS, { ...GOOD, APP_PORT: '', APP_NOTE: '  ' })).toEqual({
      url: 'https://app.example',
      port: 8080,
      password: 'hunter22',
    });
    expect(faultsOf({ ...GOOD, APP_URL: ' ' })).toHaveLength(1);
  });

  it('reports every fault at once, each with the variable’s name', () => {
    expect(faultsOf({ APP_PORT: 'http', APP_PASSWORD: 'abc' })).toEqual([
      'APP_URL is required: Where it is (for example https://app.example)',
      'APP_PORT must be a port number between 0 and 65535, not "http"',
      'APP_PASSWORD must have more than 3 characters',
    ]);
  });

  it('shows no secret', () => {
    expect(faultsOf({ ...GOOD, APP_PASSWORD: 's3c' }).join()).not.toContain('s3c');
    expect(faultsOf({ ...GOOD, APP_URL: 'ftp://me:s3cret@app.example' })).toEqual([
      'APP_URL must be a URL with https:// or http://, not "ftp://…@app.example"',
    ]);
  });

  it('says them all in its message', () => {
    expect(() => readSettings(SETTINGS, {})).toThrow(/APP_URL is required.*\n.*APP_PASSWORD is required/);
  });
});

describe('parsers', () => {
  it.each(['-1', '65536', '80.5', '8o', '1e9', ' '])('refuse port %j', value => {
    expect(() => (value.trim() ? port(value) : positive(value))).toThrow();
  });

  it.each(['0', '-1', '1.5', 'many', ''])('refuse %j for a count', value => {
    expect(() => positive(value)).toThrow('must be a whole number above 0');
  });

  it.each(['59', '301', '60.5', 'a minute', ''])('refuse %j for what lies between 60 and 300', value => {
    expect(() => between(60, 300)(value)).toThrow('must be a whole number from 60 to 300');
    expect([between(60, 300)('60'), between(60, 300)('300')]).toEqual([60, 300]);
  });

  it('take numbers of days, the longest first', () => {
    expect([days('1, 30,7,7'), days('14')]).toEqual([[30, 7, 1], [14]]);
    for (const value of ['', '0', '7,', '1.5', 'week', '3651', '1,2,3,4,5,6,7,8,9']) {
      expect(() => days(value)).toThrow('must be at most 8 numbers of days');
    }
  });

  it('take one of a list only', () => {
    const level = oneOf(['info', 'warn']);
    expect(level('warn')).toBe('warn');
    expect(() => level('Warn')).toThrow('must be one of info, warn');
  });

  it.each([
    'file:///var/lib/packs/blobs',
    's3+http://127.0.0.1:9000/packs',
    's3+https://objects.example/packs/registry?region=eu-1&part=16',
  ])('take %s for a blob store', address => expect(blobStoreUrl(address)).toBe(address));

  it.each([
    ['/var/lib/blobs', 'must be a URL with file:// or s3+http:// or s3+https://'],
    ['https://objects.example/packs', 'must be a URL with file:// or s3+http:// or s3+https://'],
    ['s3+https://objects.example', 'must name a server and a bucket'],
    ['s3+https:///packs', 'must name a server and a bucket'],
    ['s3+https://key:secret@objects.example/packs', 'must name no credentials'],
    ['s3+https://objects.example/packs?part=5', 'must have a part of 8 to 16 (MiB)'],
    ['s3+https://objects.example/packs?part=many', 'must have a part of 8 to 16 (MiB)'],
  ])('refuse %s for a blob store', (address, reason) => expect(() => blobStoreUrl(address)).toThrow(reason));

  it('take URLs of the named kinds only, and cut slashes at their end', () => {
    const parse = urlOf('nats:', 'tls:');
    expect(parse('nats://127.0.0.1:4222//')).toBe('nats://127.0.0.1:4222');
    for (const other of ['http://127.0.0.1', '127.0.0.1:4222', 'nats', '/tmp']) {
      expect(() => parse(other)).toThrow('must be a URL with nats:// or tls://');
    }
  });
});

describe('the settings of the processes', () => {
  const processes = Object.entries(PROCESS_SETTINGS).map(([name, settings]) => ({
    name,
    settings: Object.values<Setting<unknown>>(settings),
  }));

  it.each(processes)('of $name have distinct names, and fallbacks and examples that are valid', ({ settings }) => {
    expect(new Set(settings.map(one => one.name)).size).toBe(settings.length);
    for (const one of settings) {
      for (const value of [one.fallback, one.example]) if (value !== undefined) expect(() => one.parse(value)).not.toThrow();
      expect(one.doc).toMatch(/\w/);
    }
  });

  it.each(processes)('of $name hide every password and database address', ({ settings }) => {
    for (const one of settings) if (/PASSWORD|DATABASE_URL|SECRET|TOKEN$/.test(one.name)) expect(one).toMatchObject({ secret: true });
  });

  it('mean the same thing in every process that has them', () => {
    const known = new Map<string, Setting<unknown>>();
    for (const one of processes.flatMap(process => process.settings)) {
      const { parse: _, ...described } = known.get(one.name) ?? one;
      expect(one).toMatchObject(described);
      known.set(one.name, one);
    }
  });
});

describe('registries', () => {
  it('speaks TLS to public addresses, unless told otherwise', () => {
    expect(registries('registry.example, http://10.0.0.5:5000 private,https://[::1]:5443  private')).toEqual([
      { host: 'registry.example', protocol: 'https:', allowsPrivate: false },
      { host: '10.0.0.5:5000', protocol: 'http:', allowsPrivate: true },
      { host: '[::1]:5443', protocol: 'https:', allowsPrivate: true },
    ]);
  });

  it.each([
    '',
    ',',
    'registry.example/path',
    'ftp://registry.example',
    'me:secret@registry.example',
    'a public',
    'a private private',
    'a b.c',
  ])('is not %j', text => expect(() => registries(text)).toThrow('must be registries joined by commas'));
});
