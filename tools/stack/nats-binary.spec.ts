import { isOlder } from './nats-binary';

describe('isOlder', () => {
  it.each(['2.9.9', '2.8.30', '1.99.99', '0.0.0'])('refuses nats-server %s', version => expect(isOlder(version)).toBe(true));
  it.each(['2.9.10', '2.9.25', '2.10.0', '3.0.0'])('takes nats-server %s', version => expect(isOlder(version)).toBe(false));
});
