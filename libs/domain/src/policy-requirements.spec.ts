import { parsePolicyRequirements } from './policy-requirements';
import { parsePolicyRule } from './policy-rule';
import type { PolicyRule } from './signing-policy';

const SLSA = 'https://slsa.dev/provenance/v1';
const key = (keyRef: string): PolicyRule => ({ keyRef });
const keys = (most: number): PolicyRule[] => Array.from({ length: most }, (_, at) => key(`k${at}`));
const signer = (changes: object): object => ({ oidcIssuer: { issuer: 'https://i.test', identity: 'a@b.test', ...changes } });
const threshold = (count: unknown, of: unknown): object => ({ threshold: { count, of } });

function pointersOf(parse: () => unknown): unknown {
  try {
    return { parsed: parse() };
  } catch (error) {
    const { code, errors } = error as { code: string; errors: { pointer: string }[] };
    return [code, ...errors.map(({ pointer }) => pointer)];
  }
}

describe('parsePolicyRule', () => {
  it.each<[object]>([
    [{ allOf: [key('a'), { anyOf: [key('b'), key('c')] }] }],
    [threshold(2, keys(32))],
    [threshold(2, [key('a'), { allOf: [key('b'), key('c')] }])],
    [signer({ extensions: { sourceRepositoryURI: 'https://git.test/a', buildTrigger: 'push' } })],
  ])('accepts %j', rule => {
    expect(parsePolicyRule(rule)).toEqual(rule);
  });

  it.each<[unknown, string[]]>([
    [{ allOf: [] }, ['/rule/allOf']],
    [{ allOf: [{ keyRef: '' }] }, ['/rule/allOf/0/keyRef']],
    [threshold(0, keys(2)), ['/rule/threshold/count']],
    [threshold(3, keys(2)), ['/rule/threshold/count']],
    [threshold(1.5, keys(2)), ['/rule/threshold/count']],
    [threshold('2', keys(2)), ['/rule/threshold/count']],
    [threshold(1, []), ['/rule/threshold/count', '/rule/threshold/of']],
    [threshold(1, keys(33)), ['/rule/threshold/of']],
    [{ threshold: { count: 1, of: keys(1), extra: 1 } }, ['/rule/threshold']],
    [threshold(2, [key('a'), key('a')]), ['/rule/threshold/count']],
    [threshold(2, [...keys(8), { allOf: [key('k1'), key('last')] }]), ['/rule/threshold']],
    [{ allOf: [threshold(1, [{ anyOf: [{ allOf: [key('a')] }] }])] }, ['/rule/allOf/0/threshold/of/0/anyOf/0']],
    [{ anyOf: Array.from({ length: 5 }, () => ({ anyOf: keys(32) })) }, ['/rule']],
    [signer({ extensions: {} }), ['/rule/oidcIssuer/extensions']],
    [signer({ extensions: null }), ['/rule/oidcIssuer/extensions']],
    [signer({ extensions: { other: 'x' } }), ['/rule/oidcIssuer/extensions']],
    [signer({ extensions: { buildTrigger: 'a b' } }), ['/rule/oidcIssuer/extensions/buildTrigger']],
    [signer({ subject: 'x' }), ['/rule/oidcIssuer']],
    [{ constructor: 1 }, ['/rule']],
  ])('refuses %j at %j', (rule, pointers) => {
    expect(pointersOf(() => parsePolicyRule(rule))).toEqual(['ERR_PACK_POLICY_INVALID', ...pointers]);
  });
});

describe('parsePolicyRequirements', () => {
  it.each([
    [{ algorithms: ['ed25519'] }],
    [{ log: true, maxAgeDays: 1 }],
    [{ attestations: [{ predicateType: SLSA }, { predicateType: 'urn:x', rule: key('ci') }] }],
  ])('accepts %j', requirements => {
    expect(parsePolicyRequirements(requirements)).toEqual(requirements);
  });

  it('writes out what FIPS mode allows, with RSA only where it is named', () => {
    expect(parsePolicyRequirements({ algorithms: ['fips'] })).toEqual({ algorithms: ['ecdsa-p256-sha256'] });
    expect(parsePolicyRequirements({ algorithms: ['rsa-pss-sha256', 'fips'] })).toEqual({
      algorithms: ['rsa-pss-sha256', 'ecdsa-p256-sha256'],
    });
    expect(pointersOf(() => parsePolicyRequirements({ algorithms: ['fips', 'ed25519'] }))).toEqual([
      'ERR_PACK_POLICY_INVALID',
      '/require/algorithms/1',
    ]);
  });

  it.each<[unknown, string[]]>([
    [null, ['/require']],
    [[], ['/require']],
    [{}, ['/require']],
    [{ other: 1 }, ['/require']],
    [{ algorithms: [] }, ['/require/algorithms']],
    [{ algorithms: ['ed25519', 'ed25519'] }, ['/require/algorithms']],
    [{ algorithms: ['md5', 7] }, ['/require/algorithms/0', '/require/algorithms/1']],
    [{ log: 'yes' }, ['/require/log']],
    [{ maxAgeDays: 0 }, ['/require/maxAgeDays']],
    [{ maxAgeDays: 1.5 }, ['/require/maxAgeDays']],
    [{ attestations: [] }, ['/require/attestations']],
    [{ attestations: Array.from({ length: 17 }, (_, at) => ({ predicateType: `urn:${at}` })) }, ['/require/attestations']],
    [{ attestations: [{ predicateType: 'a b' }] }, ['/require/attestations/0']],
    [{ attestations: [{ predicateType: SLSA, by: 'x' }] }, ['/require/attestations/0']],
    [{ attestations: [{ predicateType: SLSA }, { predicateType: SLSA }] }, ['/require/attestations/1']],
    [{ attestations: [{ predicateType: SLSA, rule: { anyOf: [{}] } }] }, ['/require/attestations/0/rule/anyOf/0']],
  ])('refuses %j at %j', (requirements, pointers) => {
    expect(pointersOf(() => parsePolicyRequirements(requirements))).toEqual(['ERR_PACK_POLICY_INVALID', ...pointers]);
  });
});
