import { siteEnvironment } from './sealed-stack';

describe('the environment of the second registry', () => {
  it('names none of the servers, logins, ports and folders of the first', () => {
    const first = {
      PATH: '/usr/bin',
      DATA_DIR: '/data',
      DATABASE_ADMIN_URL: 'postgresql://root@db/packs',
      PUBLISHER_DATABASE_URL: 'postgresql://publisher@db/packs',
      NATS_URL: 'nats://bus',
      NATS_REPLICAS: '3',
      PUBLISHER_NATS_PASSWORD: 'secret',
      AUTHORITY_ISSUER: 'https://issuer',
      BLOB_STORE: 'file:///blobs',
      MIRROR_ROOT: 'file:///mirrors',
      MIRROR_SIGNING_KEY_FILE: '/key.pem',
      GATEWAY_PORT: '8080',
      SEALED: 'false',
      KIT_EXPORTERS_FILE: '/mine.json',
      LOG_LEVEL: 'debug',
    };
    const given = Object.entries(siteEnvironment(first, '/site/exporters.json')).filter(([, value]) => value !== undefined);
    expect(Object.fromEntries(given)).toEqual({
      PATH: '/usr/bin',
      LOG_LEVEL: 'debug',
      SEALED: 'true',
      KIT_EXPORTERS_FILE: '/site/exporters.json',
    });
  });
});
