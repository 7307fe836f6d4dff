import type { IncomingHttpHeaders } from 'node:http';
import { sha256, type Digest } from '@packs/domain';
import { chunkLength, hasBody, parseFinish, parseStart, tagParameters } from './upload-request';

const DIGEST = sha256('blob');
const SHA512: Digest = `sha512:${'0'.repeat(128)}`;
const headers = (given: IncomingHttpHeaders) => ({ headers: given });

describe('parseStart', () => {
  it.each([
    ['/u', { algorithm: 'sha256', digest: undefined, mount: undefined }],
    ['/u?digest-algorithm=sha512', { algorithm: 'sha512', digest: undefined, mount: undefined }],
    [`/u?digest=${SHA512}`, { algorithm: 'sha512', digest: SHA512, mount: undefined }],
    [`/u?digest=${encodeURIComponent(DIGEST)}`, { algorithm: 'sha256', digest: DIGEST, mount: undefined }],
    [`/u?mount=${DIGEST}`, { algorithm: 'sha256', digest: undefined, mount: { digest: DIGEST, from: 'anywhere' } }],
    [
      `/u?mount=${SHA512}&from=acme%2Fa%2Fb`,
      { algorithm: 'sha512', digest: undefined, mount: { digest: SHA512, from: { namespace: 'acme', repository: 'a/b' } } },
    ],
    [`/u?mount=${DIGEST}&from=library`, { algorithm: 'sha256', digest: undefined, mount: { digest: DIGEST, from: undefined } }],
    [`/u?mount=${DIGEST}&from=`, { algorithm: 'sha256', digest: undefined, mount: { digest: DIGEST, from: undefined } }],
  ])('reads %s', (url, expected) => {
    expect(parseStart(url)).toEqual(expected);
  });

  it.each([
    ['digest', '/u?digest='],
    ['digest', '/u?digest=sha256:ABC'],
    ['mount', `/u?mount=${DIGEST}0&from=acme/a`],
    ['digest-algorithm', '/u?digest-algorithm=SHA512'],
    ['digest-algorithm', '/u?digest-algorithm='],
  ])('refuses a wrong %s: %s', (field, url) => {
    expect(() => parseStart(url)).toThrow(
      expect.objectContaining({ code: 'ERR_PACK_DIGEST_INVALID', errors: [expect.objectContaining({ field })] }),
    );
  });
});

it('asks for the digest that finishes an upload', () => {
  expect(parseFinish(`/u?x=1&digest=${SHA512}`)).toBe(SHA512);
  expect(() => parseFinish('/u')).toThrow(expect.objectContaining({ code: 'ERR_PACK_DIGEST_INVALID' }));
});

it('reads every tag of a push', () => {
  expect(tagParameters('/m?tag=1.2&tag=latest&x=y&tag=a%2Bb')).toEqual(['1.2', 'latest', 'a+b']);
  expect(tagParameters('/m')).toEqual([]);
});

it('knows from its head whether a request has a body', () => {
  expect([{}, { 'content-length': '0' }].map(one => hasBody(headers(one)))).toEqual([false, false]);
  expect([{ 'content-length': '1' }, { 'transfer-encoding': 'chunked' }].map(one => hasBody(headers(one)))).toEqual([true, true]);
});

describe('chunkLength', () => {
  it.each([
    [{}, 7, undefined],
    [{ 'content-length': '5' }, 7, 5],
    [{ 'content-range': '7-11' }, 7, 5],
    [{ 'content-range': '0-0', 'content-length': '1' }, 0, 1],
    [{ 'content-range': 'bytes 7-11/12', 'content-length': '5' }, 7, 5],
    [{ 'content-range': 'bytes 7-11/*' }, 7, 5],
  ])('reads %j of an upload that has %i bytes', (given, size, length) => {
    expect(chunkLength(headers(given), size)).toBe(length);
  });

  it.each([
    [{ 'content-range': '8-11' }, 7],
    [{ 'content-range': '0-4' }, 7],
    [{ 'content-range': '7-6' }, 7],
    [{ 'content-range': '7-11', 'content-length': '4' }, 7],
    [{ 'content-range': '-7-11' }, 7],
    [{ 'content-range': '7-' }, 7],
    [{ 'content-range': '' }, 0],
    [{ 'content-range': '0-1e3' }, 0],
    [{ 'content-range': `0-${'9'.repeat(30)}` }, 0],
  ])('refuses %j for one that has %i, and says so', (given, size) => {
    expect(() => chunkLength(headers(given), size)).toThrow(expect.objectContaining({ code: 'ERR_OCI_UPLOAD_RANGE', details: { size } }));
  });
});
