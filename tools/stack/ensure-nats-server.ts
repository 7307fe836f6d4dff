import { ensureNatsServer } from './nats-binary';
import { describeFailure } from './steps';

// What `npm test` runs first: the integration tests start servers of their own and need the program.
try {
  ensureNatsServer(process.env.PATH ?? '', text => console.log(text));
} catch (error) {
  console.error(`\n${describeFailure(error)}\n`);
  process.exitCode = 1;
}
