export class Mailer {
  async send(_to: string, _options: { idempotencyKey: string }): Promise<void> {}
}
