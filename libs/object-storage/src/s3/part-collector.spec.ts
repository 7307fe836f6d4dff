import { randomBytes } from 'node:crypto';
import { PartCollector } from './part-collector';

const PART = 1000;

describe('PartCollector', () => {
  it.each([0, 1, PART - 1, PART, PART + 1, 3 * PART, 3 * PART + 7])('cuts %i bytes into whole parts and a rest', async size => {
    const bytes = randomBytes(size);
    const parts: Buffer[] = [];
    const collector = new PartCollector(PART, async part => void parts.push(Buffer.from(part)));
    for (let at = 0; at < size; at += 333) await collector.take(bytes.subarray(at, at + 333));
    const rest = await collector.rest();
    expect(Buffer.concat([...parts, rest]).equals(bytes)).toBe(true);
    expect(new Set(parts.map(part => part.length))).toEqual(new Set(size > PART ? [PART] : []));
    expect(rest.length > 0 || size === 0).toBe(true);
  });

  it('sends one part at a time, and takes no more than one part meanwhile', async () => {
    const ends: (() => void)[] = [];
    const collector = new PartCollector(PART, () => new Promise(resolve => void ends.push(resolve)));
    await collector.take(Buffer.alloc(2 * PART));
    expect(ends).toHaveLength(1);
    let isTaken = false;
    const taking = collector.take(Buffer.alloc(1)).then(() => (isTaken = true));
    await new Promise(setImmediate);
    expect([ends.length, isTaken]).toEqual([1, false]);
    ends[0]?.();
    await taking;
    expect(ends).toHaveLength(2);
    ends[1]?.();
    expect(await collector.rest()).toHaveLength(1);
  });

  it('fills two buffers by turns, however much comes', async () => {
    const buffers = new Set<ArrayBufferLike>();
    const parts: Buffer[] = [];
    const large = 64 * 1024;
    const collector = new PartCollector(large, async part => {
      await new Promise(setImmediate);
      buffers.add(part.buffer);
      parts.push(Buffer.from(part));
    });
    const bytes = randomBytes(10 * large + 1);
    for (let at = 0; at < bytes.length; at += 5000) await collector.take(bytes.subarray(at, at + 5000));
    const rest = await collector.rest();
    expect(Buffer.concat([...parts, rest]).equals(bytes)).toBe(true);
    expect(buffers.size).toBe(2);
  });

  it('says that a part could not be sent when the next is due, and at the end', async () => {
    const failing = (): PartCollector => new PartCollector(PART, () => Promise.reject(new Error('no room')));
    const early = failing();
    await early.take(Buffer.alloc(PART + 1));
    await expect(early.take(Buffer.alloc(PART))).rejects.toThrow('no room');
    const late = failing();
    await late.take(Buffer.alloc(PART + 1));
    await expect(late.rest()).rejects.toThrow('no room');
    await late.settle();
  });
});
