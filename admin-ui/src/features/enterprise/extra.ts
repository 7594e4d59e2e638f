import { api, data, idempotent, type Schemas } from '@/api/client'
import { newOwnField, withoutNull } from '@/features/extra/words'

export type ExtraField = Schemas['EnterpriseExtraFieldView']
export type Extra = Schemas['EnterpriseExtra']
export type ExtraItem = Schemas['EnterpriseExtraItem']
export type CompanyType = Schemas['EnterpriseCompanyType']

const list = <T>(p: { items: T[] | null }): T[] => p.items ?? []

export const listExtraFields = () => data(api.GET('/api/enterprise-fields')).then(list<ExtraField>)

export const listCompanyTypes = () => data(api.GET('/api/enterprise-types')).then(list<CompanyType>)

/** Adds a field (version 0) or changes one. */
export const saveExtraField = (f: ExtraField, key: string) =>
  data(
    api.PUT('/api/enterprise-fields/{code}', {
      params: { path: { code: f.field.key } },
      body: {
        field: withoutNull(f.field),
        group: f.group,
        types: f.types ?? [],
        restricted: f.restricted,
        company: f.company,
        sort: f.sort,
        retired: f.retired,
        version: f.version,
      },
      ...idempotent(key),
    }),
  ).then(list<ExtraField>)

/** The fields of a company: the platform's own notes, and the others as far as it agreed or the basis covers. */
export const getExtra = (id: string, signal?: AbortSignal, basis?: string) =>
  data(api.GET('/api/enterprises/{id}/extra', { params: { path: { id: Number(id) }, query: { basis } }, signal }))

export const setExtra = (
  extra: Extra,
  values: Record<string, string[]>,
  basis: string | undefined,
  key: string,
): Promise<Extra> =>
  data(
    api.POST('/api/enterprises/{id}/extra', {
      params: { path: { id: extra.enterpriseId } },
      body: { version: extra.version, values, basis },
      ...idempotent(key),
    }),
  )

/** The sections of a company's data, in the order in which they are shown: each is agreed to, and ranked by source. */
export const dataGroups = {
  basic: '工商登记',
  operation: '经营情况',
  standing: '资质与信用',
  admin: '行政许可与处罚',
  justice: '司法',
  social: '社保',
  tax: '税务',
  ip: '知识产权',
} as const

export const extraGroups: Record<ExtraField['group'], string> = { service: '服务管理信息', ...dataGroups }

export const companyWords: Record<ExtraField['company'], string> = {
  hidden: '企业不可见',
  reads: '企业可见',
  fills: '企业可见并填写',
}

/** A new field behind those there are, with a key that no other has. */
export const newExtraField = (fields: ExtraField[]): ExtraField => ({
  ...newOwnField(fields),
  group: 'service',
  types: [],
  restricted: false,
  company: 'hidden',
})
