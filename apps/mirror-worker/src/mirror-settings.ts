import { MirrorConfigured, newEvent, type MirrorRecord, type MirrorSettings } from '@packs/contracts';
import { canonicalDigest, DomainError } from '@packs/domain';

/** Who asked, as commands carry it. */
export interface Origin {
  readonly tenant: string;
  readonly actor: string;
  readonly source: string | null;
}

export function settingsOf({ name, kind, location, selection, intervalSeconds, enabled, pull }: MirrorRecord): MirrorSettings {
  return { name, kind, location, selection, intervalSeconds, enabled, ...(pull && { pull }) };
}

/** @throws DomainError ERR_MIRROR_EXISTS when the settings get in the way of another mirror of the tenant */
export function checkRoom(settings: MirrorSettings, others: readonly MirrorRecord[]): void {
  const sameName = others.find(other => other.name === settings.name);
  if (sameName) throw taken('name', `${settings.name} is the name of another mirror`);
  // Nothing is written where a mirror pulls from.
  if (settings.pull) return;
  const inTheWay = others.find(other => !other.pull && overlap(other.location, settings.location));
  if (inTheWay) throw taken('location', `${settings.location} overlaps with that of mirror ${inTheWay.name}`);
}

/** Whether one folder is the other or lies in it: both mirrors would then write among each other's files. */
export function overlap(a: string, b: string): boolean {
  return `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
}

function taken(field: string, message: string): DomainError {
  return new DomainError('ERR_MIRROR_EXISTS', message, { errors: [{ field, message }] });
}

export function noMirror(id: string): DomainError {
  return new DomainError('ERR_MIRROR_NOT_FOUND', `no mirror ${id}`);
}

/** What every event about a mirror's settings says. */
export function settingsEventData(origin: Origin, mirror: MirrorRecord) {
  const settings = settingsOf(mirror);
  const { tenant, actor, source } = origin;
  return {
    packId: null,
    version: null,
    tenant,
    actor,
    source,
    signatures: [],
    metadataHash: canonicalDigest(settings),
    mirrorId: mirror.id,
    ...settings,
  };
}

export function configuredEvent(origin: Origin, mirror: MirrorRecord, at: Date) {
  return newEvent(MirrorConfigured, settingsEventData(origin, mirror), at);
}
