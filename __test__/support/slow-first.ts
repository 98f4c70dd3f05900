import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take long: they wait for servers and other processes, or move hundreds of megabytes. */
const SLOW = /__test__\/(faults\/|tooling\/|bytes\.)/

/**
 * Starts the slow files first, so that none of them runs alone at the end. vitest goes by how long a file took the last
 * time, and on a fresh clone by its size, which says nothing here.
 */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isSlow = ({ moduleId }: TestSpecification) => SLOW.test(moduleId)
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))]
  }
}
