import type { Act, Exchange } from './oci-log';
import { RULES } from './oci-log-checker';

const [D1, D2] = ['sha256:1', 'sha256:2'];
const repository = 'app';
let now = 0;

/** One after the other, by the owner, answered as asked. */
function told(about: Act, status: number | null, more: Partial<Exchange> = {}): Exchange {
  now += 10;
  const digest = 'digest' in about ? about.digest : null;
  const seen = status === 200 && digest !== null ? { told: digest, read: digest } : { told: null, read: null };
  const code = status === 404 ? `${'act' in about && about.act === 'read-blob' ? 'BLOB' : 'MANIFEST'}_UNKNOWN` : null;
  const ended = status === null ? Infinity : now + 5;
  return { client: 'c', standing: 'writer', about, began: now, ended, status, code, state: null, ...seen, ...more };
}

const pushed = (digest: string, tag: string | null = null, more: object = {}): Act => ({
  ...({ act: 'push-manifest', repository, digest, tag, needs: ['sha256:b'] } as const),
  ...more,
});
const reads = (digest: string): Act => ({ act: 'read-manifest', repository, digest });
const tagged: Act = { act: 'read-tag', repository, tag: 'v1' };
const shows = (digest: string, more: Partial<Exchange> = {}) => told(tagged, 200, { told: digest, read: digest, ...more });

const FAULTY: readonly [keyof typeof RULES, string, () => Exchange[]][] = [
  ['answers only what its clients can act on', 'an internal error', () => [told(pushed(D1), 500, { code: 'UNKNOWN' })]],
  ['serves the bytes of the digest or none', 'other bytes', () => [told(reads(D1), 200, { read: D2 })]],
  ['serves the bytes of the digest or none', 'other bytes under a tag', () => [shows(D1, { read: D2 })]],
  ['keeps what it acknowledged', 'one that is missing', () => [told(pushed(D1), 201), told(reads(D1), 404), told(reads(D1), 200)]],
  ['keeps what it acknowledged', 'one that nobody looked at again', () => [told(pushed(D1), 201)]],
  [
    'has forgotten what it said is deleted',
    'one that is found',
    () => [told(pushed(D1), 201), told({ act: 'delete-manifest', repository, digest: D1 }, 202), told(reads(D1), 200)],
  ],
  [
    'never has a manifest without its blobs',
    'a missing blob',
    () => [told(pushed(D1), null), told(reads(D1), 200), told({ act: 'read-blob', repository, digest: 'sha256:b' }, 404)],
  ],
  ['moves a tag forwards only', 'the value before', () => [told(pushed(D1, 'v1'), 201), told(pushed(D2, 'v1'), 201), shows(D1)]],
  ['moves a tag forwards only', 'a tag that is gone', () => [told(pushed(D1, 'v1'), 201), told(tagged, 404)]],
  [
    'moves a tag forwards only',
    'an unanswered move that comes and goes',
    () => [told(pushed(D1, 'v1'), 201), told(pushed(D2, 'v1'), null), shows(D2), shows(D1)],
  ],
  [
    'moves a tag forwards only',
    'a deleted tag that is back',
    () => [told(pushed(D1, 'v1'), 201), told({ act: 'delete-tag', repository, tag: 'v1' }, 202), shows(D1)],
  ],
  [
    'gives a version one manifest for ever',
    'two that were taken',
    () => [told(pushed(D1, 'v1', { version: 'v1' }), 201), told(pushed(D2, 'v1', { version: 'v1' }), 201)],
  ],
  ['gives a version one manifest for ever', 'another that is read', () => [told(pushed(D1, 'v1', { version: 'v1' }), 201), shows(D2)]],
  [
    'shows what was satisfied, to those it is for',
    'an unsigned version, to a reader',
    () => [told(pushed(D1, 'v1', { version: 'v1' }), 201), told(reads(D1), 200, { standing: 'reader' })],
  ],
  [
    'shows what was satisfied, to those it is for',
    'an unsigned version’s blob, to a partner',
    () => [
      told(pushed(D1, 'v1', { version: 'v1' }), 201),
      told({ act: 'read-blob', repository, digest: 'sha256:b' }, 200, { standing: 'partner' }),
    ],
  ],
  [
    'shows what was satisfied, to those it is for',
    'anything to a stranger',
    () => [told(pushed(D1), 201), told(reads(D1), 200, { standing: 'stranger' })],
  ],
  [
    'shows what was satisfied, to those it is for',
    'a version published unsigned',
    () => [told(pushed(D1, 'v1', { version: 'v1' }), 201, { state: 'published' })],
  ],
  [
    'shows what it said is published',
    'a version that its reader misses',
    () => [
      told(pushed(D1, 'v1', { version: 'v1' }), 201, { state: 'pending' }),
      told(pushed(D2, null, { signs: D1 }), 201, { state: 'published' }),
      told(reads(D1), 404, { standing: 'reader' }),
    ],
  ],
];

it.each(FAULTY)('the checker of “%s” finds %s', (rule, _, log) => {
  expect(RULES[rule]?.(log())).toHaveLength(1);
});

it('every rule is shown to find something', () => {
  expect([...new Set(FAULTY.map(([rule]) => rule))]).toEqual(Object.keys(RULES));
});

it('finds nothing where a registry kept its word through a death', () => {
  const log = [
    told(tagged, 404),
    told(pushed(D1, 'v1'), null),
    shows(D1),
    told(pushed(D1, 'v1'), 201),
    told(pushed(D2, 'v1'), null),
    shows(D1),
    shows(D2),
    told({ act: 'delete-tag', repository, tag: 'v1' }, null),
    told({ act: 'delete-tag', repository, tag: 'v1' }, 404),
    told(tagged, 404),
    told(reads(D1), 200),
    told({ act: 'read-blob', repository, digest: 'sha256:b' }, 200),
    told(reads(D2), null),
  ];
  expect(Object.values(RULES).flatMap(rule => rule(log))).toEqual([]);
});
