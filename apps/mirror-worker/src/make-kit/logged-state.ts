import { selectsPackId, type KitVersion, type Selection } from '@packs/contracts';
import { isBuiltInChannel, versionSortKey, type AuditEntry, type Digest, type PackType, type SigningPolicy } from '@packs/domain';

type Note = { readonly at: string; readonly by: string; readonly reason: string | null; readonly replacement: string | null };

/** One version as the log tells of it. */
export interface LoggedVersion {
  readonly packId: string;
  readonly version: string;
  readonly type: PackType;
  readonly manifestDigest: Digest;
  /** The channel it was published to. */
  readonly channel: string;
  readonly publishedAt: string;
  /** Those it has; of its publish, until others came or went. */
  readonly signatures: ReadonlySet<Digest>;
}

interface Told {
  published?: LoggedVersion;
  /** The rotation that counts, and the signatures since. */
  rotated?: { readonly rotation: number; readonly signatures: ReadonlySet<Digest> };
  /** The last change of its standing; the epoch of a verdict that withdrew it. */
  standing?: { readonly change: number; readonly withdrawnEpoch: number | null };
  readonly channels: Set<string>;
  readonly attestations: Map<
    Digest,
    Pick<KitVersion['attestations'][number], 'predicateType' | 'addedAt' | 'addedBy'> & { readonly referrer: Digest }
  >;
  deprecated?: Note;
  archived?: Note & { readonly deprecatedAt: string };
}

export type LoggedChannel = { readonly name: string; readonly description: string; readonly createdAt: string; readonly createdBy: string };

/**
 * The state of a tenant's packs as its audit log tells it, up to some entry. The same entries make the same state whenever they are read, and
 * entries about one version may come in any order.
 */
export class LoggedState {
  readonly policies = new Map<string, SigningPolicy>();
  readonly customChannels = new Map<string, LoggedChannel>();
  trust: { readonly epoch: number; readonly digest: Digest } | null = null;
  shareWith: readonly string[] = [];
  private readonly packs = new Map<string, Map<string, Told>>();

  /** @param selection what else is not looked at: the state of other packs is not kept */
  constructor(private readonly selection: Selection) {}

  apply(entry: AuditEntry): void {
    if (entry.packId !== null && !selectsPackId(this.selection.packIds, entry.packId)) return;
    HANDLERS[entry.type]?.(this, entry);
  }

  told({ packId, version }: AuditEntry): Told {
    const versions = this.packs.get(packId ?? '') ?? new Map<string, Told>();
    this.packs.set(packId ?? '', versions);
    const told = versions.get(version ?? '') ?? { channels: new Set(), attestations: new Map() };
    versions.set(version ?? '', told);
    return told;
  }

  /** Takes in a change of a version's standing. @param withdrawnEpoch null: it was restored */
  stands(entry: AuditEntry, withdrawnEpoch: number | null): void {
    const told = this.told(entry);
    const change = Number(entry.data['change']);
    if (change > (told.standing?.change ?? 0)) told.standing = { change, withdrawnEpoch };
  }

  /** Undefined for what was not published by then. */
  find(packId: string, version: string): (Told & { readonly published: LoggedVersion }) | undefined {
    const told = this.packs.get(packId)?.get(version);
    if (!told?.published) return undefined;
    const signatures = told.rotated?.signatures ?? told.published.signatures;
    return { ...told, published: { ...told.published, signatures } };
  }

  /** A version that was archived at once counts as deprecated by it; a replacement named then takes the place of an earlier one. */
  lifecycleOf({ deprecated, archived }: Told): Pick<KitVersion, 'lifecycle' | 'deprecation' | 'archival'> {
    if (!archived) return { lifecycle: deprecated ? 'deprecated' : 'active', deprecation: deprecated ?? null, archival: null };
    const { at, by, reason, replacement, deprecatedAt } = archived;
    const deprecation = deprecated
      ? { ...deprecated, replacement: replacement ?? deprecated.replacement }
      : { at: deprecatedAt, by, reason, replacement };
    return { lifecycle: 'archived', deprecation, archival: { at, by, reason } };
  }

  /** Whether the version was of one of the selected channels by then. */
  isSelected({ channels }: { readonly channels: ReadonlySet<string> }): boolean {
    return this.selection.channels?.some(channel => channels.has(channel)) ?? true;
  }

  /** The channels that point at the version: a channel points at the newest version that was let into it, for it never moves back. */
  headOf(packId: string, version: string): string[] {
    const versions = [...(this.packs.get(packId) ?? [])].filter(([, told]) => told.published);
    const key = versionSortKey(version);
    const channels = [...(this.packs.get(packId)?.get(version)?.channels ?? [])];
    return channels
      .filter(channel => versions.every(([other, told]) => !told.channels.has(channel) || versionSortKey(other) <= key))
      .toSorted();
  }
}

type Data = Readonly<Record<string, unknown>>;
const text = (data: Data, name: string): string => String(data[name]);
const textOrNull = (data: Data, name: string): string | null => (typeof data[name] === 'string' ? data[name] : null);
const digest = (data: Data, name: string): Digest => text(data, name) as Digest;

function noteOf({ data, actor }: AuditEntry, time: string): Note {
  return { at: text(data, time), by: actor, reason: textOrNull(data, 'reason'), replacement: textOrNull(data, 'replacement') };
}

/** What each kind of entry says of the state. The log keeps what was checked against the event's contract when it was written. */
const HANDLERS: Readonly<Record<string, (state: LoggedState, entry: AuditEntry) => void>> = {
  'pack.version.published': (state, entry) => {
    const { data } = entry;
    const told = state.told(entry);
    told.channels.add(text(data, 'channel'));
    told.published = {
      packId: entry.packId ?? '',
      version: entry.version ?? '',
      type: text(data, 'packType') as PackType,
      manifestDigest: digest(data, 'manifestDigest'),
      channel: text(data, 'channel'),
      publishedAt: text(data, 'publishedAt'),
      signatures: new Set(entry.signatures),
    };
  },
  'pack.version.promoted': (state, entry) => void state.told(entry).channels.add(text(entry.data, 'channel')),
  'pack.version.deprecated': (state, entry) => void (state.told(entry).deprecated = noteOf(entry, 'deprecatedAt')),
  'pack.version.archived': (state, entry) =>
    void (state.told(entry).archived = { ...noteOf(entry, 'archivedAt'), deprecatedAt: text(entry.data, 'deprecatedAt') }),
  'pack.signature.rotated': (state, entry) => {
    const told = state.told(entry);
    const rotation = Number(entry.data['rotation']);
    if (rotation > (told.rotated?.rotation ?? 0)) told.rotated = { rotation, signatures: new Set(entry.signatures) };
  },
  'pack.version.withdrawn': (state, entry) => state.stands(entry, Number(entry.data['epoch'])),
  'pack.version.restored': (state, entry) => state.stands(entry, null),
  'pack.attestation.added': (state, entry) => {
    const { data, actor } = entry;
    state.told(entry).attestations.set(digest(data, 'attestation'), {
      referrer: digest(data, 'referrer'),
      predicateType: text(data, 'predicateType'),
      addedAt: text(data, 'addedAt'),
      addedBy: actor,
    });
  },
  'registry.trust.updated': (state, { data }) => {
    const epoch = Number(data['epoch']);
    if (epoch > (state.trust?.epoch ?? 0)) state.trust = { epoch, digest: digest(data, 'digest') };
  },
  'registry.policy.updated': (state, { data }) => {
    const policy = data['policy'] as SigningPolicy;
    if (policy.version > (state.policies.get(policy.name)?.version ?? 0)) state.policies.set(policy.name, policy);
  },
  'registry.visibility.updated': (state, { data }) => void (state.shareWith = data['shareWith'] as string[]),
  'registry.channel.updated': (state, { data }) => {
    const name = text(data, 'channel');
    if (isBuiltInChannel(name)) return;
    const channel = {
      name,
      description: text(data, 'description'),
      createdAt: text(data, 'createdAt'),
      createdBy: text(data, 'createdBy'),
    };
    state.customChannels.set(name, channel);
  },
};
