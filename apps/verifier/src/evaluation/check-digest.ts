import type { BundleSource } from './bundle-source';
import type { CheckList } from './check-list';

/** The first check of every evaluation: what follows speaks of the bytes of this digest and of no others. */
export async function checkDigest(source: BundleSource, list: CheckList): Promise<boolean> {
  const proven = await source.isProven();
  if (proven) list.pass('digest');
  else
    list.fail('digest', {
      code: 'ERR_PACK_DIGEST_MISMATCH',
      message: 'the stored bytes do not have the digest and size they are named by',
    });
  return proven;
}
