import { readForm, readQuery } from './token-request';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const params = (values: Record<string, string>, ...more: [string, string][]): URLSearchParams =>
  new URLSearchParams([...Object.entries(values), ...more]);
const refused = (field: string, oauth = 'invalid_request') => ({
  code: 'ERR_PACK_REQUEST_INVALID',
  details: { oauth },
  errors: [expect.objectContaining({ field }) as unknown],
});
function refusalOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error;
  }
}

describe('readQuery', () => {
  it('takes what Docker sends', () => {
    const query = params({
      service: 'packs-registry',
      scope: 'repository:acme/tool:pull',
      account: 'ci',
      client_id: 'docker',
      offline_token: 'true',
    });
    expect(readQuery(query, basic('ci:with:colons'))).toEqual({
      credentials: { kind: 'password', user: 'ci', password: 'with:colons' },
      scopes: [{ type: 'repository', name: 'acme/tool', actions: ['pull'] }],
    });
  });

  it('takes a token as Bearer, and nobody’s request', () => {
    for (const scheme of ['bearer', 'Bearer', 'DPoP']) {
      expect(readQuery(params({}), `${scheme} a.b.c`).credentials).toEqual({ kind: 'token', token: 'a.b.c' });
    }
    expect(readQuery(params({}), undefined)).toEqual({ credentials: { kind: 'none' }, scopes: [] });
  });

  it.each(['', 'Basic', 'Basic !', basic('nocolon'), 'Negotiate abc', 'Bearer a b'])('refuses Authorization: %s', header => {
    expect(refusalOf(() => readQuery(params({}), header))).toMatchObject(refused('Authorization'));
  });

  it('refuses another service, and what is given twice or is too long', () => {
    expect(refusalOf(() => readQuery(params({ service: 'another' }), undefined))).toMatchObject(refused('service'));
    expect(refusalOf(() => readQuery(params({ service: 'packs-registry' }, ['service', 'packs-registry']), undefined))).toMatchObject(
      refused('service'),
    );
    expect(refusalOf(() => readQuery(params({ account: 'x'.repeat(257) }), undefined))).toMatchObject(refused('account'));
    expect(refusalOf(() => readQuery(params({ scope: 'everything' }), undefined))).toMatchObject(refused('scope', 'invalid_scope'));
  });
});

describe('readForm', () => {
  it('takes a name and a password, and a client and its secret', () => {
    const password = { kind: 'password', user: 'ci', password: 'secret' };
    expect(
      readForm(params({ grant_type: 'password', username: 'ci', password: 'secret', client_id: 'docker' }), undefined).credentials,
    ).toEqual(password);
    expect(readForm(params({ grant_type: 'client_credentials', client_id: 'ci', client_secret: 'secret' }), undefined).credentials).toEqual(
      password,
    );
    expect(readForm(params({ grant_type: 'client_credentials' }), basic('ci:secret')).credentials).toEqual(password);
  });

  it.each<[string, Record<string, string>, string | undefined, string, string]>([
    ['no grant', {}, undefined, 'grant_type', 'invalid_request'],
    ['a refresh token', { grant_type: 'refresh_token', refresh_token: 'x' }, undefined, 'grant_type', 'unsupported_grant_type'],
    ['another grant', { grant_type: 'authorization_code' }, undefined, 'grant_type', 'unsupported_grant_type'],
    ['a password without a name', { grant_type: 'password', password: 'x' }, undefined, 'username', 'invalid_request'],
    ['a name without a password', { grant_type: 'password', username: 'x', password: '' }, undefined, 'password', 'invalid_request'],
    ['a client without a secret', { grant_type: 'client_credentials', client_id: 'x' }, undefined, 'client_secret', 'invalid_request'],
    [
      'a password that is too long',
      { grant_type: 'password', username: 'x', password: 'x'.repeat(8193) },
      undefined,
      'password',
      'invalid_request',
    ],
    ['a password twice over', { grant_type: 'password', username: 'x', password: 'y' }, basic('a:b'), 'Authorization', 'invalid_request'],
    [
      'a secret twice over',
      { grant_type: 'client_credentials', client_id: 'x', client_secret: 'y' },
      basic('a:b'),
      'client_secret',
      'invalid_request',
    ],
    ['another service', { grant_type: 'client_credentials', service: 'x' }, basic('a:b'), 'service', 'invalid_request'],
  ])('refuses %s', (_, form, authorization, field, oauth) => {
    expect(refusalOf(() => readForm(params(form), authorization))).toMatchObject(refused(field, oauth));
  });
});
