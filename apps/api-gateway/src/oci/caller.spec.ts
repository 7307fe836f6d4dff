import { challenge, challengeError, notAuthenticated, repositoryScope } from './caller';

const DOOR = { realm: 'https://packs.test/token', service: 'packs-registry' };

describe('challenge', () => {
  it('names realm and service, and scope and error where there are such', () => {
    expect(challenge(DOOR)).toBe('Bearer realm="https://packs.test/token",service="packs-registry"');
    const scope = repositoryScope('acme', 'deep/er', 'push');
    expect(challenge({ ...DOOR, scope, error: 'insufficient_scope' })).toBe(
      'Bearer realm="https://packs.test/token",service="packs-registry",scope="repository:acme/deep/er:pull,push",error="insufficient_scope"',
    );
  });

  it('cannot be broken out of', () => {
    expect(challenge({ ...DOOR, scope: 'a" b\\' })).toContain('scope="a\\" b\\\\"');
  });

  it('asks for no more than an action needs', () => {
    expect(repositoryScope('acme', 'tool', 'pull')).toBe('repository:acme/tool:pull');
    expect(repositoryScope('acme', 'tool', 'delete')).toBe('repository:acme/tool:delete');
  });

  it('has the error of the refusal', () => {
    expect(challengeError(notAuthenticated('x'))).toBeUndefined();
    expect(challengeError(notAuthenticated('x', 'invalid_token'))).toBe('invalid_token');
  });
});
