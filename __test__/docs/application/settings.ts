export class SettingsService {
  readonly queueUrl = 'postgres://'
  readonly isWorker = true
}

export class SettingsModule {}
