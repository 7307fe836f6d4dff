import { databaseUrls, givenDatabaseUrls } from './database-urls';

const ADMIN = 'postgresql://root:top@db.example:5433/packs?sslmode=require';

describe('databaseUrls', () => {
  it("gives every process with a database its own login on the administrator's server", () => {
    expect(
      databaseUrls(ADMIN, { 'api-gateway': 'g', publisher: 'p', 'mirror-worker': 'm', 'parity-worker': 'q', compliance: 'c' }, {}),
    ).toEqual({
      'api-gateway': 'postgresql://packs_gateway:g@db.example:5433/packs?sslmode=require',
      publisher: 'postgresql://packs_publisher:p@db.example:5433/packs?sslmode=require',
      'mirror-worker': 'postgresql://packs_mirror:m@db.example:5433/packs?sslmode=require',
      'parity-worker': 'postgresql://packs_parity:q@db.example:5433/packs?sslmode=require',
      compliance: 'postgresql://packs_compliance:c@db.example:5433/packs?sslmode=require',
    });
  });

  it('lets a login that was given stand', () => {
    const urls = databaseUrls(ADMIN, {}, { PUBLISHER_DATABASE_URL: 'postgresql://mine@elsewhere/x' });
    expect(urls.publisher).toBe('postgresql://mine@elsewhere/x');
  });
});

describe('givenDatabaseUrls', () => {
  it('takes an empty setting for none', () => {
    expect(givenDatabaseUrls({ PUBLISHER_DATABASE_URL: '', GATEWAY_DATABASE_URL: 'postgresql://g' })).toEqual({
      'api-gateway': 'postgresql://g',
    });
  });
});
