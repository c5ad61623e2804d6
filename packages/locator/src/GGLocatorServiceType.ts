/** When a service is started, in relation to others: lower ones first. */
export enum GGLocatorServiceType {
  CONFIG = 0,
  DATABASE = 10,
  HTTP = 20,
  INTL = 25,
  BUSINESS = 30,
  PERIODIC_JOBS = 40,
  SERVICE_DISCOVERY = 999,
}
