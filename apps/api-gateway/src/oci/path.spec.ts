import { parseOciPath } from './path';

const NAME = { namespace: 'acme', repository: 'hello' };
const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('parseOciPath', () => {
  it.each([
    ['/v2', { kind: 'base' }],
    ['/v2/', { kind: 'base' }],
    ['/v2/_catalog', { kind: 'catalog' }],
    ['/v2/acme/hello/manifests/1.0.0', { kind: 'manifest', name: NAME, reference: '1.0.0' }],
    [`/v2/acme/hello/manifests/${DIGEST}`, { kind: 'manifest', name: NAME, reference: DIGEST }],
    [`/v2/acme/hello/manifests/${DIGEST.replace(':', '%3A')}`, { kind: 'manifest', name: NAME, reference: DIGEST }],
    [`/v2/acme/hello/blobs/${DIGEST}`, { kind: 'blob', name: NAME, reference: DIGEST }],
    ['/v2/acme/hello/blobs/uploads', { kind: 'uploads', name: NAME }],
    ['/v2/acme/hello/blobs/uploads/', { kind: 'uploads', name: NAME }],
    ['/v2/acme/hello/blobs/uploads/01abc', { kind: 'upload', name: NAME, reference: '01abc' }],
    ['/v2/acme/hello/tags/list', { kind: 'tags', name: NAME }],
    [`/v2/acme/hello/referrers/${DIGEST}`, { kind: 'referrers', name: NAME, reference: DIGEST }],
    ['/v2/acme/a/b/c/tags/list', { kind: 'tags', name: { namespace: 'acme', repository: 'a/b/c' } }],
    ['/v2/acme/blobs/manifests/v1', { kind: 'manifest', name: { namespace: 'acme', repository: 'blobs' }, reference: 'v1' }],
    ['/v2/acme/tags/list/tags/list', { kind: 'tags', name: { namespace: 'acme', repository: 'tags/list' } }],
    ['/v2/acme/blobs/uploads/blobs/uploads/', { kind: 'uploads', name: { namespace: 'acme', repository: 'blobs/uploads' } }],
  ])('reads %s', (path, parsed) => {
    expect(parseOciPath(path)).toEqual(parsed);
  });

  it.each(['/v2/hello/manifests/1', '/v2/Acme/hello/tags/list', '/v2/acme//x/tags/list', '/v2/acme/%zz/tags/list', '/v2/../x/tags/list'])(
    'refuses the name in %s',
    path => {
      expect(() => parseOciPath(path)).toThrow(expect.objectContaining({ code: 'ERR_OCI_NAME_INVALID' }));
    },
  );

  it.each(['/v2/acme', '/v2/acme/hello', '/v2/acme/hello/tags', '/v2/acme/hello/manifests/', '/v2/acme/hello/other/x', '/v2/tags/list'])(
    'knows no endpoint %s',
    path => {
      expect(() => parseOciPath(path)).toThrow();
    },
  );
});
