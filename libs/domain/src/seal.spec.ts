import { requireUnsealed, sealAt, sealed, SEALED_BY_CONFIGURATION, UNSEALED, unsealApproved, unsealRequested, type Seal } from './seal';

const AT = new Date('2026-01-17T08:00:00.000Z');
const hours = (n: number): Date => new Date(AT.getTime() + n * 3_600_000);
const by = (actor: string, at = AT) => ({ actor, at, reason: `of ${actor}` });

const closed = sealed(UNSEALED, by('alice'));
const asked = unsealRequested(closed, by('bob', hours(1)));
const codeOf = (work: () => unknown): unknown => {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as { code: unknown }).code;
  }
};

describe('a seal', () => {
  it('says who set it, when and why', () => {
    expect(closed).toEqual({
      sealed: true,
      by: 'api',
      since: AT.toISOString(),
      changedBy: 'alice',
      reason: 'of alice',
      pendingUnseal: null,
    });
  });

  it('that is set stays as it is when it is set again', () => {
    expect(sealed(closed, by('bob', hours(1)))).toBe(closed);
    expect(sealed(SEALED_BY_CONFIGURATION, by('bob'))).toBe(SEALED_BY_CONFIGURATION);
  });

  it.each([
    [closed, 'api'],
    [SEALED_BY_CONFIGURATION, 'configuration'],
  ])('refuses and says by what', (seal, sealedBy) => {
    expect(() => requireUnsealed(seal.by)).toThrow(expect.objectContaining({ code: 'ERR_PACK_SEALED', details: { sealedBy } }));
  });

  it('that is not set refuses nothing', () => expect(codeOf(() => requireUnsealed(UNSEALED.by))).toBeUndefined());
});

describe('unsealing', () => {
  it('takes two others than who asks, and tells who asked', () => {
    const first = unsealApproved(asked, by('carol', hours(2)));
    expect(first).toMatchObject({ sealed: true, by: 'api', since: AT.toISOString(), pendingUnseal: { approvals: [{ by: 'carol' }] } });
    expect(unsealApproved(first, by('dave', hours(3)))).toEqual({
      ...{ sealed: false, by: null, since: hours(3).toISOString(), changedBy: 'bob', reason: 'of bob', pendingUnseal: null },
    });
  });

  it('counts neither who asks nor anybody twice', () => {
    expect(codeOf(() => unsealApproved(asked, by('bob', hours(2))))).toBe('ERR_PACK_APPROVAL');
    const first = unsealApproved(asked, by('carol', hours(2)));
    expect(codeOf(() => unsealApproved(first, by('carol', hours(3))))).toBe('ERR_PACK_APPROVAL');
    expect(codeOf(() => unsealApproved(first, by('bob', hours(3))))).toBe('ERR_PACK_APPROVAL');
  });

  it('is open for a day from when it was asked, whatever was approved meanwhile', () => {
    const first = unsealApproved(asked, by('carol', hours(24)));
    expect(unsealApproved(first, by('dave', new Date(hours(25).getTime() - 1))).sealed).toBe(false);
    expect(codeOf(() => unsealApproved(first, by('dave', hours(25))))).toBe('ERR_PACK_NOT_FOUND');
    expect(sealAt(first, hours(25)).pendingUnseal).toBeNull();
    expect(sealAt(first, hours(24))).toBe(first);
  });

  it('asked for again after that starts without approvals', () => {
    const first = unsealApproved(asked, by('carol', hours(2)));
    expect(unsealRequested(first, by('erin', hours(25))).pendingUnseal).toMatchObject({ requestedBy: 'erin', approvals: [] });
  });

  it('has one request at a time', () => {
    expect(unsealRequested(asked, by('bob', hours(2)))).toBe(asked);
    expect(codeOf(() => unsealRequested(asked, by('erin', hours(2))))).toBe('ERR_PACK_CONFLICT');
  });

  it('is taken back by sealing again', () => {
    const again = sealed(asked, by('erin', hours(2)));
    expect(again).toEqual(closed);
    expect(codeOf(() => unsealApproved(again, by('carol', hours(3))))).toBe('ERR_PACK_NOT_FOUND');
  });

  it.each<[string, (seal: Seal) => Seal]>([
    ['asked for', seal => unsealRequested(seal, by('bob'))],
    ['approved', seal => unsealApproved(seal, by('carol'))],
  ])('cannot be %s when it is the configuration that seals', (_, work) => {
    expect(codeOf(() => work(SEALED_BY_CONFIGURATION))).toBe('ERR_PACK_SEALED');
  });

  it('of what is not sealed is done already', () => {
    expect(unsealRequested(UNSEALED, by('bob'))).toBe(UNSEALED);
    expect(codeOf(() => unsealApproved(UNSEALED, by('carol')))).toBe('ERR_PACK_NOT_FOUND');
  });
});
