import type { Principal, Scope } from '@packs/domain';
import { grantedTo, mayDo, namespacesOf, parseScopes } from './scopes';

const principal = (...scopes: Scope[]): Principal => ({ subject: 'a', actor: 'user:a', tenant: 'acme', scopes, expiresAt: 0 });
const NOBODY = () => false;

describe('parseScopes', () => {
  it('reads scopes of several parameters, and several of one', () => {
    expect(parseScopes(['repository:acme/tool:pull,push registry:catalog:*', '', 'repository(plugin):acme/deep/er:delete'])).toEqual([
      { type: 'repository', name: 'acme/tool', actions: ['pull', 'push'] },
      { type: 'registry', name: 'catalog', actions: ['*'] },
      { type: 'repository', name: 'acme/deep/er', actions: ['delete'] },
    ]);
  });

  it('leaves colons to the name', () => {
    expect(parseScopes(['repository:packs.test:5000/tool:pull'])).toEqual([
      { type: 'repository', name: 'packs.test:5000/tool', actions: ['pull'] },
    ]);
  });

  it.each([
    'repository',
    'repository:acme/tool',
    'repository:acme/tool:',
    ':acme/tool:pull',
    'repository::pull',
    'repository:acme/tool:pull,',
    'repository:acme/tool:PULL',
    'REPOSITORY:acme/tool:pull',
    'repository:acme"/tool:pull',
    'repository:a\nb/c:pull',
    `repository:acme/${'x'.repeat(512)}:pull`,
  ])('refuses %j and names the parameter', text => {
    const refusal = { code: 'ERR_PACK_REQUEST_INVALID', details: { oauth: 'invalid_scope' }, errors: [{ field: 'scope' }] };
    expect(() => parseScopes(['repository:acme/tool:pull', text])).toThrow(expect.objectContaining({ code: refusal.code }));
    try {
      parseScopes([text]);
    } catch (error) {
      expect(error).toMatchObject(refusal);
    }
  });

  it('takes 32 of them and no more', () => {
    const many = (count: number) => Array.from({ length: count }, (_, at) => `repository:acme/r${at}:pull`);
    expect(parseScopes(many(32))).toHaveLength(32);
    expect(() => parseScopes(many(33))).toThrow('there may be 32 scopes');
    expect(() => parseScopes([many(33).join(' ')])).toThrow('there may be 32 scopes');
  });
});

describe('grantedTo', () => {
  const granted = (who: Principal | null, ...texts: string[]) =>
    grantedTo({ principal: who, isPublic: NOBODY }, parseScopes(texts)).map(one => `${one.type}:${one.name}:${one.actions.join(',')}`);

  it('lets readers pull from anywhere, and push nowhere', () => {
    const reader = principal('packs.read');
    expect(granted(reader, 'repository:acme/tool:pull,push,delete')).toEqual(['repository:acme/tool:pull']);
    expect(granted(reader, 'repository:globex/tool:pull,push')).toEqual(['repository:globex/tool:pull']);
    expect(granted(reader, 'registry:catalog:*')).toEqual(['registry:catalog:*']);
  });

  it('lets writers push and delete in their own namespace alone, and pull only with the other scope', () => {
    const writer = principal('packs.write');
    expect(granted(writer, 'repository:acme/tool:pull,push', 'repository:acme/tool:delete')).toEqual(['repository:acme/tool:push,delete']);
    expect(granted(writer, 'repository:globex/tool:push', 'repository:acme2/tool:push', 'registry:catalog:*')).toEqual([]);
    expect(granted(principal('packs.read', 'packs.write'), 'repository:acme/tool:*')).toEqual(['repository:acme/tool:pull,push,delete']);
  });

  it('gives other scopes nothing', () => {
    expect(granted(principal('packs.approve', 'packs.run', 'packs.admin'), 'repository:acme/tool:*', 'registry:catalog:*')).toEqual([]);
  });

  it('gives what is no repository here nothing', () => {
    const both = principal('packs.read', 'packs.write');
    for (const name of ['acme', 'acme/Tool', 'acme//tool', 'acme/tool/', 'host:5000/acme/tool', `acme/${'x'.repeat(251)}`]) {
      expect([name, granted(both, `repository:${name}:pull,push`)]).toEqual([name, []]);
    }
    expect(granted(both, 'registry:other:*', 'image:acme/tool:pull', 'repository:acme/tool:own')).toEqual([]);
  });

  it('lets somebody unknown pull from public namespaces alone', () => {
    const grantee = { principal: null, isPublic: (namespace: string) => namespace === 'acme' };
    const asked = parseScopes(['repository:acme/tool:pull,push,delete', 'repository:acme2/tool:pull', 'registry:catalog:*']);
    expect(grantedTo(grantee, asked)).toEqual([{ type: 'repository', name: 'acme/tool', actions: ['pull'] }]);
    expect(namespacesOf(asked)).toEqual(['acme', 'acme2']);
  });
});

describe('mayDo', () => {
  it('knows no namespace by the beginning of its name', () => {
    const both = principal('packs.read', 'packs.write');
    expect(['acme', 'acme-2', 'acm', ''].map(namespace => mayDo(both, 'push', namespace))).toEqual([true, false, false, false]);
  });
});
