import { DomainError, type Principal } from '@packs/domain';
import { FixedClock } from '@packs/testing';
import { ClearProofs, ClearTokens, KnownClients, KnownNamespaces, KnownTokens, RememberedProofs } from './auth.fixture';
import { FailedAttempts } from './failed-attempts';
import { IssueToken } from './issue-token';
import { Proofs } from './proofs';
import { parseScopes } from './scopes';
import type { Credentials } from './token-request';

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjaSJ9.c2lnbmF0dXJl';
const PROOF = { method: 'POST', url: 'https://packs.test/token' };

describe('IssueToken', () => {
  const clock = new FixedClock('2026-01-17T08:00:00.700Z');
  const now = Math.floor(clock.now().getTime() / 1000);
  const principal: Principal = {
    subject: 'ci',
    actor: 'client:ci',
    tenant: 'acme',
    scopes: ['packs.read', 'packs.write'],
    expiresAt: now + 3600,
  };
  let parts: { authority: KnownTokens; clients: KnownClients; tokens: ClearTokens; namespaces: KnownNamespaces };
  let issue: IssueToken;
  beforeEach(() => {
    parts = { authority: new KnownTokens(), clients: new KnownClients(), tokens: new ClearTokens(), namespaces: new KnownNamespaces() };
    parts.authority.principals.set(JWT, principal);
    parts.clients.secrets.set('ci', { secret: 'secret', token: JWT });
    const { authority, clients, tokens, namespaces } = parts;
    const proofs = new Proofs(new ClearProofs(), new RememberedProofs());
    issue = new IssueToken({ authority, clients, attempts: new FailedAttempts(clock) }, tokens, proofs, namespaces, clock, 300);
  });
  const password = (user: string, text: string): Credentials => ({ kind: 'password', user, password: text });
  const ask = (credentials: Credentials, scope = '', asker: { address?: string; proof?: string } = {}) =>
    issue.execute(
      { credentials, scopes: parseScopes([scope]) },
      { address: asker.address ?? '192.0.2.1', ...(asker.proof && { proof: { ...PROOF, text: asker.proof } }) },
    );
  const REFUSED = { code: 'ERR_PACK_AUTHENTICATION', message: 'the credentials are not accepted' };

  it.each<[string, Credentials]>([
    ['a client and its secret', password('ci', 'secret')],
    ['any name and an access token', password('oauth2accesstoken', JWT)],
    ['no name and an access token', password('', JWT)],
    ['an access token', { kind: 'token', token: JWT }],
  ])('takes %s', async (_, credentials) => {
    const answer = await ask(credentials, 'repository:acme/tool:pull,push repository:globex/tool:pull,push');
    expect(answer).toEqual({
      token: 'own-0',
      access_token: 'own-0',
      token_type: 'Bearer',
      expires_in: 300,
      issued_at: '2026-01-17T08:00:00.000Z',
      scope: 'repository:acme/tool:pull,push repository:globex/tool:pull',
    });
    expect(parts.tokens.issued).toEqual([
      {
        ...{ tenant: 'acme', subject: 'ci', actor: 'client:ci', writes: true, keyThumbprint: null, expiresAt: now + 300 },
        access: [
          { type: 'repository', name: 'acme/tool', actions: ['pull', 'push'] },
          { type: 'repository', name: 'globex/tool', actions: ['pull'] },
        ],
      },
    ]);
    expect(parts.namespaces.asked).toEqual([]);
  });

  it('gives a token without access to one who asks for none', async () => {
    expect((await ask(password('ci', 'secret'))).scope).toBe('');
    expect(parts.tokens.issued[0]).toMatchObject({ tenant: 'acme', access: [] });
  });

  it('says of one who only reads that they write nowhere', async () => {
    parts.authority.principals.set(JWT, { ...principal, scopes: ['packs.read'] });
    await ask({ kind: 'token', token: JWT });
    await ask({ kind: 'none' });
    expect(parts.tokens.issued.map(({ writes }) => writes)).toEqual([false, false]);
  });

  it('ends a token no later than what it was asked with', async () => {
    parts.authority.principals.set(JWT, { ...principal, expiresAt: now + 20 });
    expect((await ask({ kind: 'token', token: JWT })).expires_in).toBe(20);
    expect(parts.tokens.issued[0]?.expiresAt).toBe(now + 20);
  });

  it('lets somebody unknown pull from public namespaces, and asks once for each', async () => {
    parts.namespaces.open.add('acme');
    const answer = await ask({ kind: 'none' }, 'repository:acme/a:pull,push repository:acme/b:pull repository:globex/c:pull');
    expect(answer).toMatchObject({ scope: 'repository:acme/a:pull repository:acme/b:pull', expires_in: 300 });
    expect(parts.tokens.issued[0]).toMatchObject({ tenant: null, subject: 'anonymous', actor: 'anonymous' });
    expect(parts.namespaces.asked.toSorted()).toEqual(['acme', 'globex']);
  });

  it('refuses all that is wrong with the same words', async () => {
    for (const wrong of [
      password('ci', 'wrong'),
      password('nobody', 'secret'),
      password('ci', ''),
      password('', 'secret'),
      password('ci', `${JWT}x`),
      { kind: 'token', token: 'secret' } as const,
      { kind: 'token', token: 'own-0' } as const,
    ]) {
      await expect(ask(wrong)).rejects.toMatchObject(REFUSED);
    }
    expect(parts.tokens.issued).toEqual([]);
  });

  it('does not take an Authority that is away for a refusal', async () => {
    parts.clients.failure = new DomainError('ERR_PACK_UNAVAILABLE', 'away', { retry: 'later' });
    for (let at = 0; at < 40; at++) await expect(ask(password('ci', 'secret'))).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE' });
    parts.clients.failure = undefined;
    await expect(ask(password('ci', 'secret'))).resolves.toBeDefined();
  });

  it('asks the Authority about 30 wrong secrets a minute from one address, and those of others go on', async () => {
    for (let at = 0; at < 30; at++) await expect(ask(password('ci', `guess ${at}`))).rejects.toMatchObject(REFUSED);
    const asked = parts.clients.asked;
    await expect(ask(password('ci', 'secret'))).rejects.toMatchObject({ code: 'ERR_PACK_LIMIT', retry: 'later' });
    expect(parts.clients.asked).toBe(asked);
    await expect(ask(password('ci', 'secret'), '', { address: '192.0.2.2' })).resolves.toBeDefined();
    await expect(ask({ kind: 'token', token: JWT })).resolves.toBeDefined();
    clock.advance(60_000);
    await expect(ask(password('ci', 'secret'))).resolves.toBeDefined();
  });

  it('lets a client on where it is known while others guess at it from many addresses, and asks the Authority about no more of these', async () => {
    await ask(password('ci', 'secret'), '', { address: '198.51.100.1' });
    const guess = (at: number) => ask(password('ci', `guess ${at}`), '', { address: `192.0.2.${at}` });
    for (let at = 0; at < 100; at++) await expect(guess(at)).rejects.toMatchObject(REFUSED);
    const asked = parts.clients.asked;
    await expect(guess(100)).rejects.toMatchObject({ code: 'ERR_PACK_LIMIT', retry: 'later' });
    expect(parts.clients.asked).toBe(asked);
    await expect(ask(password('ci', 'secret'), '', { address: '198.51.100.1' })).resolves.toBeDefined();
  });

  describe('with a proof of possession', () => {
    const proof = (id: string) => `a-key ${id} POST https://packs.test/token`;

    it('binds the token to the key', async () => {
      expect(await ask(password('ci', 'secret'), '', { proof: proof('one') })).toMatchObject({ token_type: 'DPoP' });
      expect(parts.tokens.issued[0]?.keyThumbprint).toBe('a-key');
    });

    it('gives no token for one that is wrong or was used', async () => {
      const refusal = (message: RegExp) => ({
        ...{ code: 'ERR_PACK_REQUEST_INVALID', message: expect.stringMatching(message) as string },
        ...{ details: { oauth: 'invalid_dpop_proof' }, errors: [{ field: 'DPoP' }] },
      });
      await ask(password('ci', 'secret'), '', { proof: proof('one') });
      await expect(ask(password('ci', 'secret'), '', { proof: proof('one') })).rejects.toMatchObject(refusal(/used before/));
      await expect(ask(password('ci', 'secret'), '', { proof: 'a-key two GET elsewhere' })).rejects.toMatchObject(
        refusal(/another request/),
      );
      expect(parts.tokens.issued).toHaveLength(1);
    });

    it('makes of a bound access token a token that is bound to the same key', async () => {
      parts.authority.principals.set(JWT, { ...principal, keyThumbprint: 'a-key' });
      const bound = { kind: 'token', token: JWT } as const;
      const refusal = { code: 'ERR_PACK_REQUEST_INVALID', details: { oauth: 'invalid_dpop_proof' } };
      await expect(ask(bound)).rejects.toMatchObject(refusal);
      await expect(ask(bound, '', { proof: proof('one').replace('a-key', 'another') })).rejects.toMatchObject(refusal);
      expect(parts.tokens.issued).toEqual([]);
      await ask(bound, '', { proof: proof('two') });
      expect(parts.tokens.issued[0]?.keyThumbprint).toBe('a-key');
    });

    it('uses up no proof for wrong credentials', async () => {
      await expect(ask(password('ci', 'wrong'), '', { proof: proof('one') })).rejects.toMatchObject(REFUSED);
      await expect(ask(password('ci', 'secret'), '', { proof: proof('one') })).resolves.toMatchObject({ token_type: 'DPoP' });
    });
  });
});
