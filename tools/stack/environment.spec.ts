import { inheritedBy } from './environment';

const environment = {
  PATH: '/bin',
  LOG_LEVEL: 'debug',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector',
  DATABASE_ADMIN_URL: 'postgresql://root',
  PUBLISHER_DATABASE_URL: 'postgresql://publisher',
  GATEWAY_DATABASE_URL: 'postgresql://gateway',
  AWS_SECRET_ACCESS_KEY: 'secret',
  TZ: undefined,
};

describe('inheritedBy', () => {
  it("gives a process the common settings and its own, and no other's secrets", () => {
    expect(inheritedBy('publisher', environment)).toEqual({
      PATH: '/bin',
      LOG_LEVEL: 'debug',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector',
      PUBLISHER_DATABASE_URL: 'postgresql://publisher',
    });
  });

  it('gives a tool only the common settings', () => {
    expect(Object.keys(inheritedBy('tool', environment))).toEqual(['PATH', 'LOG_LEVEL', 'OTEL_EXPORTER_OTLP_ENDPOINT']);
  });
});
