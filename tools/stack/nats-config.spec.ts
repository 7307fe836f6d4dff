import { natsConfig } from './nats-config';

const options = { port: 4222, storeDir: '/data/nats', pidFile: '/data/nats.pid' };

describe('natsConfig', () => {
  it('listens on loopback only and stores streams in the given folder', () => {
    const text = natsConfig({ ...options, users: [] });
    expect(text).toContain('listen: "127.0.0.1:4222"');
    expect(text).toContain('jetstream { store_dir: "/data/nats" }');
  });

  it('allows a user exactly the subjects of its process', () => {
    const permissions = { publish: ['cmd.verifier.verify-bundle', '$JS.ACK.>'], subscribe: ['_INBOX_publisher.>'] };
    expect(natsConfig({ ...options, users: [{ name: 'publisher', password: 'secret', permissions }] })).toContain(
      '{ user: "publisher", password: "secret", permissions: { publish: { allow: ["cmd.verifier.verify-bundle", "$JS.ACK.>"] }, ' +
        'subscribe: { allow: ["_INBOX_publisher.>"] } } }',
    );
  });

  it('denies everything where nothing is allowed, which an empty list would not', () => {
    const permissions = { publish: [], subscribe: ['x'] };
    expect(natsConfig({ ...options, users: [{ name: 'a', password: 'b', permissions }] })).toContain('publish: { deny: [">"] }');
  });

  it('quotes paths and passwords', () => {
    const text = natsConfig({ ...options, storeDir: '/a b/"c"', users: [{ name: 'admin', password: 'p"}' }] });
    expect(text).toContain('store_dir: "/a b/\\"c\\""');
    expect(text).toContain('{ user: "admin", password: "p\\"}" }');
  });
});
