import { Registry } from './registry';
import { aBundle, aManifest } from './pack-bundle';
import { SigningKey } from './signing-key';
jest.setTimeout(60_000);
it('works', async () => {
  console.time('start');
  const r = await Registry.start();
  console.timeEnd('start');
  const c = await r.caller();
  const k = new SigningKey('release');
  await c.accept(k);
  const b = aBundle(aManifest('hello'));
  const a = await c.publish(b, { signatures: [k.sigstore(b.bytes)] });
  console.log(a.status, a.body);
  console.log((await c.version('hello', '1.0.0')).body);
  console.time('stop');
  await r.stop();
  console.timeEnd('stop');
});
