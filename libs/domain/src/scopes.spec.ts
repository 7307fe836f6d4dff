import { canonicalScopes } from './scopes';

describe('canonicalScopes', () => {
  it.each([
    ['packs.read', 'packs.read'],
    ['Packs.Read', 'packs.read'],
    ['packs:read', 'packs.read'],
    ['packs.write', 'packs.write'],
    ['Packs.Write', 'packs.write'],
    ['packs:publish', 'packs.write'],
    ['packs.approve', 'packs.approve'],
    ['Packs.Approve', 'packs.approve'],
    ['packs:approve', 'packs.approve'],
    ['packs.run', 'packs.run'],
    ['Packs.Run', 'packs.run'],
    ['packs:execute', 'packs.run'],
    ['packs.admin', 'packs.admin'],
    ['packs:admin', 'packs.admin'],
    ['PACKS:ADMIN', 'packs.admin'],
  ])('%s is %s', (granted, scope) => {
    expect(canonicalScopes([granted])).toEqual([scope]);
  });

  it.each([
    '',
    'openid',
    'packs',
    'packs.',
    'packs.*',
    'packs:write',
    'packs:run',
    'packs.reader',
    'read',
    'constructor',
    '__proto__',
    'toString',
  ])('%j gives nothing', granted => {
    expect(canonicalScopes([granted])).toEqual([]);
  });

  it('names each scope once', () => {
    expect(canonicalScopes(['packs:read', 'openid', 'Packs.Read', 'packs.run'])).toEqual(['packs.read', 'packs.run']);
  });
});
