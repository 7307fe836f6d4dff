import { sha256, type AuditEntry } from '@packs/domain';
import { LoggedState } from './logged-state';

const AT = '2026-01-17T08:00:00.000Z';
const LATER = '2026-01-18T08:00:00.000Z';

function entry(type: string, changes: Partial<AuditEntry> = {}): AuditEntry {
  return {
    seq: 1,
    id: 'evt_1',
    type,
    tenant: 'acme',
    packId: 'acme.hello',
    version: '1.0.0',
    actor: 'user:alice',
    source: null,
    signatures: [sha256('signature')],
    metadataHash: sha256('config'),
    occurredAt: AT,
    data: {},
    ...changes,
  };
}

const published = (version: string, channel = 'edge', packId = 'acme.hello'): AuditEntry =>
  entry('pack.version.published', {
    packId,
    version,
    data: { packType: 'task', channel, manifestDigest: sha256(`manifest of ${version}`), publishedAt: AT, channelMoved: true },
  });
const promoted = (version: string, channel: string): AuditEntry => entry('pack.version.promoted', { version, data: { channel } });
const deprecated = entry('pack.version.deprecated', { data: { deprecatedAt: AT, reason: 'slow', replacement: 'acme.hello@1.1.0' } });
const archived = entry('pack.version.archived', {
  actor: 'user:bob',
  data: { deprecatedAt: AT, archivedAt: LATER, reason: 'done', replacement: 'acme.hello@1.2.0' },
});

function stateOf(entries: readonly AuditEntry[], selection = {}): LoggedState {
  const state = new LoggedState(selection);
  for (const one of entries) state.apply(one);
  return state;
}

function lifecycle(entries: readonly AuditEntry[]) {
  const state = stateOf(entries);
  const told = state.find('acme.hello', '1.0.0');
  return told && state.lifecycleOf(told);
}

describe('LoggedState', () => {
  it('knows nothing of a version before it was published', () => {
    expect(stateOf([promoted('1.0.0', 'stable'), deprecated]).find('acme.hello', '1.0.0')).toBeUndefined();
  });

  it('points a channel at the newest version that was let into it', () => {
    const state = stateOf([
      published('1.0.0'),
      published('1.2.0'),
      published('1.1.0'),
      promoted('1.1.0', 'stable'),
      promoted('1.0.0', 'stable'),
    ]);
    expect(['1.0.0', '1.1.0', '1.2.0'].map(version => state.headOf('acme.hello', version))).toEqual([[], ['stable'], ['edge']]);
  });

  it.each([
    ['active', [], { lifecycle: 'active', deprecation: null, archival: null }],
    [
      'deprecated',
      [deprecated],
      {
        lifecycle: 'deprecated',
        deprecation: { at: AT, by: 'user:alice', reason: 'slow', replacement: 'acme.hello@1.1.0' },
        archival: null,
      },
    ],
    [
      'deprecated, then archived',
      [deprecated, archived],
      {
        lifecycle: 'archived',
        deprecation: { at: AT, by: 'user:alice', reason: 'slow', replacement: 'acme.hello@1.2.0' },
        archival: { at: LATER, by: 'user:bob', reason: 'done' },
      },
    ],
    [
      'archived at once',
      [archived],
      {
        lifecycle: 'archived',
        deprecation: { at: AT, by: 'user:bob', reason: 'done', replacement: 'acme.hello@1.2.0' },
        archival: { at: LATER, by: 'user:bob', reason: 'done' },
      },
    ],
  ])('tells that a version is %s', (_name, entries, expected) => {
    expect(lifecycle([published('1.0.0'), ...entries])).toEqual(expected);
  });

  it('is the same in whatever order the entries about a version were written', () => {
    const entries = [published('1.0.0'), published('1.1.0'), promoted('1.0.0', 'stable'), deprecated, archived];
    const expected = JSON.stringify([lifecycle(entries), stateOf(entries).headOf('acme.hello', '1.0.0')]);
    for (const order of permutationsOf(entries)) {
      expect(JSON.stringify([lifecycle(order), stateOf(order).headOf('acme.hello', '1.0.0')])).toBe(expected);
    }
  });

  it('has the attestations that were added, each by its document', () => {
    const data = { attestation: sha256('a'), referrer: sha256('r'), predicateType: 'https://slsa.dev/provenance/v1', addedAt: LATER };
    const told = stateOf([published('1.0.0'), entry('pack.attestation.added', { actor: 'ci', data })]).find('acme.hello', '1.0.0');
    expect([...(told?.attestations ?? [])]).toEqual([
      [sha256('a'), { referrer: sha256('r'), predicateType: 'https://slsa.dev/provenance/v1', addedAt: LATER, addedBy: 'ci' }],
    ]);
  });

  it('has the newest keys, policies and channels, and the last allow-list', () => {
    const of = (type: string, data: object): AuditEntry => entry(type, { packId: null, version: null, data: { ...data } });
    const policy = (version: number) => ({ name: 'default', version, rule: { keyRef: `k${version}` }, unsigned: 'reject' });
    const channel = { channel: 'field', description: 'old', createdAt: AT, createdBy: 'user:alice' };
    const state = stateOf([
      of('registry.trust.updated', { epoch: 2, digest: sha256('second') }),
      of('registry.trust.updated', { epoch: 1, digest: sha256('first') }),
      of('registry.policy.updated', { policy: policy(2) }),
      of('registry.policy.updated', { policy: policy(1) }),
      of('registry.visibility.updated', { shareWith: ['globex'] }),
      of('registry.channel.updated', channel),
      of('registry.channel.updated', { ...channel, description: 'new' }),
      of('mirror.kit.exported', { anything: 'else' }),
    ]);
    expect(state.trust).toEqual({ epoch: 2, digest: sha256('second') });
    expect([...state.policies.values()]).toEqual([policy(2)]);
    expect(state.shareWith).toEqual(['globex']);
    expect([...state.customChannels.values()]).toEqual([{ name: 'field', description: 'new', createdAt: AT, createdBy: 'user:alice' }]);
  });

  it('selects by every channel a version was ever let into', () => {
    const state = stateOf([published('1.0.0'), promoted('1.0.0', 'stable'), published('2.0.0')], { channels: ['stable'] });
    const isSelected = (version: string): boolean => {
      const told = state.find('acme.hello', version);
      return told !== undefined && state.isSelected(told);
    };
    expect([isSelected('1.0.0'), isSelected('2.0.0')]).toEqual([true, false]);
  });

  it('keeps nothing of packs that are not selected', () => {
    const state = stateOf([published('1.0.0'), published('1.0.0', 'edge', 'other.pack')], { packIds: ['acme.*'] });
    expect([state.find('acme.hello', '1.0.0') !== undefined, state.find('other.pack', '1.0.0')]).toEqual([true, undefined]);
  });
});

function permutationsOf<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, at) => permutationsOf(items.filter((_, other) => other !== at)).map(rest => [item, ...rest]));
}
