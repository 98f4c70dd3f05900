/** The reports of the application that the recipes show. */

/** @param {string} customer @param {string} month */
export async function monthlyReport(customer, month) {
  console.log(`${customer} ${month}`)
}
