import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { OidcClientCredentials } from './oidc-client-credentials';

type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

describe('OidcClientCredentials', () => {
  let server: Server;
  let issuer: string;
  let discovery: Record<string, unknown>;
  let answer: Answer;
  const asked: { authorization: string | undefined; body: string }[] = [];
  const json = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  beforeEach(async () => {
    asked.length = 0;
    answer = (_, response) => json(response, 200, { access_token: 'the-token', token_type: 'Bearer' });
    server = createServer((request, response) => {
      if (request.url !== '/token') return json(response, 200, discovery);
      void text(request).then(body => {
        asked.push({ authorization: request.headers.authorization, body });
        return answer(request, response);
      });
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    discovery = { issuer, jwks_uri: `${issuer}/jwks`, token_endpoint: `${issuer}/token` };
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  });
  const exchange = () => new OidcClientCredentials(issuer).exchange('my client', 's:cret/ä');

  it('asks the endpoint that discovery names, with form-encoded id and secret', async () => {
    expect(await exchange()).toBe('the-token');
    const basic = Buffer.from('my+client:s%3Acret%2F%C3%A4').toString('base64');
    expect(asked).toEqual([{ authorization: `Basic ${basic}`, body: 'grant_type=client_credentials' }]);
  });

  it.each([400, 401])('tells refused credentials (%i) from an Authority that does not answer', async status => {
    answer = (_, response) => json(response, status, { error: 'invalid_client', error_description: 'no client my client' });
    await expect(exchange()).rejects.toMatchObject({ code: 'ERR_PACK_AUTHENTICATION', message: 'the credentials are not accepted' });
  });

  it.each<[string, Answer]>([
    ['fails', (_, response) => json(response, 500, {})],
    ['answers no JSON', (_, response) => void response.end('<html>')],
    ['answers without a token', (_, response) => json(response, 200, { token_type: 'Bearer' })],
    ['answers with a list', (_, response) => json(response, 200, [])],
    ['sends elsewhere', (_, response) => void response.writeHead(302, { location: '/token' }).end()],
    ['breaks the connection', request => void request.socket.destroy()],
  ])('says that one that %s is not available', async (_, reply) => {
    answer = reply;
    await expect(exchange()).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE', retry: 'later' });
  });

  it.each<[string, () => Record<string, unknown>]>([
    ['of another issuer', () => ({ issuer: 'https://evil.test' })],
    ['without a token endpoint', () => ({ token_endpoint: undefined })],
    ['with a token endpoint of another kind', () => ({ token_endpoint: 'file:///etc/passwd' })],
  ])('sends no secret by a discovery document %s, and looks again', async (_, changes) => {
    const clients = new OidcClientCredentials(issuer);
    const good = discovery;
    discovery = { ...good, ...changes() };
    await expect(clients.exchange('id', 'secret')).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE' });
    expect(asked).toEqual([]);
    discovery = good;
    expect(await clients.exchange('id', 'secret')).toBe('the-token');
  });
});
