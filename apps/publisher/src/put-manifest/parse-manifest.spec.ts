import { MEDIA_TYPES, sha256 } from '@packs/domain';
import { parseManifest } from './parse-manifest';

const descriptor = { mediaType: 'application/vnd.example', digest: sha256('x'), size: 1 };
const image = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: descriptor, layers: [descriptor] };
const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [descriptor] };

const parse = (body: unknown, mediaType: string = MEDIA_TYPES.ociManifest) =>
  parseManifest(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), mediaType);

describe('parseManifest', () => {
  it('reads an image manifest, and leaves alone what it does not know', () => {
    const layers = [
      { ...descriptor, data: 'eA==', annotations: { a: 'b' }, custom: [1] },
      { ...descriptor, urls: ['https://a.test'] },
    ];
    expect(parse({ ...image, layers, annotations: { c: 'd' }, 'x-custom': { deep: true } })).toEqual({
      mediaType: MEDIA_TYPES.ociManifest,
      artifactType: 'application/vnd.example',
      config: descriptor,
      layers: [
        { ...descriptor, annotations: { a: 'b' }, isForeign: false },
        { ...descriptor, annotations: {}, isForeign: true },
      ],
      children: [],
      subject: null,
      annotations: { c: 'd' },
    });
  });

  it('reads an index, whose artifact type is its own alone', () => {
    expect(parse(index, MEDIA_TYPES.ociIndex)).toMatchObject({ artifactType: '', config: null, layers: [], children: [descriptor] });
    expect(parse({ ...index, artifactType: 'application/a', subject: descriptor }, MEDIA_TYPES.ociIndex)).toMatchObject({
      artifactType: 'application/a',
      subject: descriptor,
    });
  });

  it.each([MEDIA_TYPES.dockerManifest, MEDIA_TYPES.dockerIndex])('reads %s, with parameters behind it', mediaType => {
    const body = mediaType === MEDIA_TYPES.dockerIndex ? index : image;
    expect(parse({ ...body, mediaType }, `${mediaType}; charset=utf-8`)).toMatchObject({ mediaType });
  });

  it('takes a manifest that does not say its media type', () => {
    expect(parse({ ...image, mediaType: undefined }).mediaType).toBe(MEDIA_TYPES.ociManifest);
  });

  it.each<[string, unknown, string, string]>([
    ['another content type', image, 'application/json', 'Content-Type'],
    ['a media type that is not the content type', image, MEDIA_TYPES.ociIndex, '/mediaType'],
    ['no JSON', '{', MEDIA_TYPES.ociManifest, '/'],
    ['an array', [], MEDIA_TYPES.ociManifest, '/'],
    ['a member twice', '{"schemaVersion":2,"schemaVersion":2}', MEDIA_TYPES.ociManifest, '/'],
    ['too deep a nesting', `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`, MEDIA_TYPES.ociManifest, '/'],
    ['too many bytes', `{"a":"${'a'.repeat(4 * 1024 * 1024)}"}`, MEDIA_TYPES.ociManifest, '/'],
    ['another schema version', { ...image, schemaVersion: 1 }, MEDIA_TYPES.ociManifest, '/schemaVersion'],
    ['an image that is an index too', { ...image, manifests: [] }, MEDIA_TYPES.ociManifest, '/manifests'],
    ['an index that is an image too', { ...index, layers: [] }, MEDIA_TYPES.ociIndex, '/layers'],
    ['no config', { ...image, config: undefined }, MEDIA_TYPES.ociManifest, '/config'],
    ['no layers', { ...image, layers: undefined }, MEDIA_TYPES.ociManifest, '/layers'],
    ['a digest that is none', { ...image, config: { ...descriptor, digest: 'md5:abc' } }, MEDIA_TYPES.ociManifest, '/config/digest'],
    ['a size below zero', { ...image, layers: [{ ...descriptor, size: -1 }] }, MEDIA_TYPES.ociManifest, '/layers/0/size'],
    ['a size that is no integer', { ...image, layers: [{ ...descriptor, size: 1.5 }] }, MEDIA_TYPES.ociManifest, '/layers/0/size'],
    [
      'a descriptor without media type',
      { ...image, layers: [{ ...descriptor, mediaType: '' }] },
      MEDIA_TYPES.ociManifest,
      '/layers/0/mediaType',
    ],
    ['a subject that is none', { ...image, subject: null }, MEDIA_TYPES.ociManifest, '/subject'],
    ['an artifact type that is none', { ...image, artifactType: 'a b' }, MEDIA_TYPES.ociManifest, '/artifactType'],
    ['annotations that are no texts', { ...image, annotations: { a: 1 } }, MEDIA_TYPES.ociManifest, '/annotations'],
    ['annotations with NUL', { ...image, annotations: { a: '\0' } }, MEDIA_TYPES.ociManifest, '/annotations'],
    ['annotations with half a character', { ...image, annotations: { a: '\ud800' } }, MEDIA_TYPES.ociManifest, '/annotations'],
    ['too many layers', { ...image, layers: Array.from({ length: 10_001 }, () => descriptor) }, MEDIA_TYPES.ociManifest, '/layers'],
  ])('refuses %s', (_, body, mediaType, place) => {
    const fault = place.startsWith('/') ? { pointer: place } : { field: place };
    expect(() => parse(body, mediaType)).toThrow(
      expect.objectContaining({ code: 'ERR_OCI_MANIFEST_INVALID', errors: [expect.objectContaining(fault)] }) as Error,
    );
  });
});
