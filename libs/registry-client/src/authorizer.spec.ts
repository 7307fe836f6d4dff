import { TestOciRegistry } from '@packs/testing';
import { RegistryClient } from './registry-client';
import type { ClientSettings, RegistryCredential } from './settings';

const ME: RegistryCredential = { username: 'robot', password: 'p4ss:word' };
const BASIC = `Basic ${Buffer.from('robot:p4ss:word').toString('base64')}`;
const NAME = 'team/app';

let registry: TestOciRegistry;
let tokenService: TestOciRegistry;
let now = 0;
/** What each request for a token asked for, and with what. */
let asked: { readonly scope: string | null; readonly service: string | null; readonly authorization: string | undefined }[];

beforeEach(async () => {
  [registry, tokenService] = [await TestOciRegistry.start(), await TestOciRegistry.start()];
  now = 0;
  asked = [];
});
afterEach(async () => {
  await registry.stop();
  await tokenService.stop();
});

function clientOf(credential: RegistryCredential | undefined = ME, settings: Partial<ClientSettings> = {}): RegistryClient {
  return new RegistryClient({
    registries: [registry.allowed, tokenService.allowed],
    credentialsOf: () => Promise.resolve(credential),
    now: () => now,
    pause: () => Promise.resolve(),
    ...settings,
  });
}

/** Lets in whoever shows the newest token of the service. */
function wantsTokens(realm = `http://${tokenService.host}/token`, answer: object = { expires_in: 300 }): void {
  let newest = '';
  tokenService.intervene(
    /^GET \/token/,
    ({ url = '', headers }, response) => {
      const { searchParams } = new URL(url, 'http://realm');
      asked.push({ scope: searchParams.get('scope'), service: searchParams.get('service'), authorization: headers.authorization });
      newest = `token-${asked.length}`;
      response.end(JSON.stringify({ token: newest, ...answer }));
    },
    Infinity,
  );
  registry.intervene(
    /^/,
    ({ headers }, response) => {
      if (newest !== '' && headers.authorization === `Bearer ${newest}`) return true;
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="regi\\"stry",scope="repository:x:pull"` }).end();
      return false;
    },
    Infinity,
  );
}

const failureOf = (work: Promise<unknown>) =>
  work.then(() => undefined).catch((error: unknown) => error as { code: string; message: string });

describe('a registry with a token service', () => {
  it('is asked once per scope, with our credentials for the service alone', async () => {
    wantsTokens();
    const repository = clientOf().repository(registry.host, NAME);
    for (let n = 0; n < 3; n++) await repository.resolve('v1');
    expect(asked).toEqual([{ scope: `repository:${NAME}:pull`, service: 'regi"stry', authorization: BASIC }]);
    expect(registry.authorizations).toEqual([undefined, ...Array.from({ length: 3 }, () => 'Bearer token-1')]);
    await clientOf(undefined, { credentialsOf: () => Promise.resolve(undefined) })
      .repository(registry.host, NAME)
      .resolve('v1');
    expect(asked.at(-1)?.authorization).toBeUndefined();
  });

  it('is shown an identity token in a form, not in an address', async () => {
    wantsTokens();
    let form = '';
    tokenService.intervene(/^POST \/token$/, async (request, response) => {
      for await (const part of request) form += String(part);
      response.end('{"access_token":"from-identity"}');
    });
    await failureOf(clientOf({ username: '<token>', password: 'identity' }).repository(registry.host, NAME).resolve('v1'));
    expect(Object.fromEntries(new URLSearchParams(form))).toMatchObject({
      grant_type: 'refresh_token',
      refresh_token: 'identity',
      scope: `repository:${NAME}:pull`,
      service: 'regi"stry',
    });
  });

  it('is asked for push and pull where something is to be written', async () => {
    wantsTokens();
    await failureOf(
      clientOf()
        .repository(registry.host, NAME)
        .putManifest('v1', { mediaType: 'a/b', bytes: Buffer.from('{}') }),
    );
    expect(asked.map(({ scope }) => scope)).toEqual([`repository:${NAME}:pull,push`]);
  });

  it('is asked once by many who come together', async () => {
    wantsTokens();
    const repository = clientOf().repository(registry.host, NAME);
    await Promise.all(Array.from({ length: 5 }, (_, n) => repository.resolve(`v${n}`)));
    expect(asked.length).toBe(1);
  });

  it('is asked again before a token ends, and when one is no longer taken', async () => {
    wantsTokens();
    const repository = clientOf().repository(registry.host, NAME);
    await repository.resolve('v1');
    now = 294_000;
    await repository.resolve('v1');
    expect(asked.length).toBe(1);
    now = 296_000;
    await repository.resolve('v1');
    expect(asked.length).toBe(2);
    await clientOf().repository(registry.host, NAME).resolve('v1');
    await repository.resolve('v1');
    expect(asked.length).toBe(4);
  });

  it('that never takes its own tokens is asked no more than once', async () => {
    tokenService.intervene(/^/, (_, response) => void response.end('{"token":"t"}'), Infinity);
    const realm = `http://${tokenService.host}/token`;
    registry.intervene(
      /^/,
      (_, response) => void response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end(),
      Infinity,
    );
    const error = await failureOf(clientOf().repository(registry.host, NAME).resolve('v1'));
    expect([error?.code, registry.requests.length, tokenService.requests.length]).toEqual(['ERR_REGISTRY_DENIED', 2, 1]);
  });

  it.each(['http://169.254.169.254/token', 'http://elsewhere.example/token', 'file:///etc/passwd', 'nonsense'])(
    'is not looked for at %s',
    async realm => {
      wantsTokens(realm);
      const error = await failureOf(clientOf().repository(registry.host, NAME).resolve('v1'));
      expect([error?.code, asked]).toEqual(['ERR_REGISTRY_NOT_ALLOWED', []]);
    },
  );

  it.each([{ token: '' }, { token: 'a\r\nx-evil: 1' }, { token: 7 }])('is not believed a token like %j', async answer => {
    wantsTokens(undefined, answer);
    expect((await failureOf(clientOf().repository(registry.host, NAME).resolve('v1')))?.code).toBe('ERR_REGISTRY_CORRUPT');
  });
});

describe('a registry that wants a password', () => {
  const wantsPassword = (): void =>
    registry.intervene(
      /^/,
      ({ headers }, response) =>
        headers.authorization === BASIC || void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
      Infinity,
    );

  it('gets it with every request once it has asked', async () => {
    wantsPassword();
    const client = clientOf();
    await client.check(registry.host);
    await client.repository(registry.host, NAME).resolve('v1');
    expect(registry.authorizations).toEqual([undefined, BASIC, BASIC]);
  });

  it('does not let a stranger in, and nothing of a credential is told', async () => {
    wantsPassword();
    const wrong = { username: 'robot', password: 'wr0ng-secret' };
    const error = await failureOf(clientOf(wrong).check(registry.host));
    expect(error?.code).toBe('ERR_REGISTRY_DENIED');
    expect(JSON.stringify([error, error?.message])).not.toMatch(/wr0ng|robot|cm9ib3Q/);
  });
});
