import { listeningInodes } from './port-listener';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000 100 0 0 10 0`;

describe('listeningInodes', () => {
  it('finds the socket that listens on the port, not the connections to it', () => {
    expect(listeningInodes(TABLE, 8080)).toEqual(['4711']);
  });

  it('finds none for a port nobody listens on', () => {
    expect(listeningInodes(TABLE, 80)).toEqual([]);
  });
});
