import { WakeUps } from '@packs/ports';
import type { NatsConnection } from 'nats';

export class NatsWakeUps extends WakeUps {
  constructor(private readonly connection: NatsConnection) {
    super();
  }

  signal(topic: string): void {
    this.connection.publish(topic);
  }

  subscribe(topic: string, onSignal: () => void): () => void {
    const subscription = this.connection.subscribe(topic, { callback: () => onSignal() });
    return () => subscription.unsubscribe();
  }
}
