import { Upload } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

const permissions = ['enterprise.import', 'identity.users', 'directory.manage', 'ticket.import']

export default [
  {
    path: 'imports',
    name: 'imports',
    component: () => import('./ImportList.vue'),
    meta: {
      title: '数据导入',
      menu: '工作台',
      icon: Upload,
      order: 21,
      permissions,
      help: [
        {
          heading: '步骤',
          text: '下载模板并填写，上传后核对列的对应关系，检查通过的行再发布。检查期间不影响正式数据。',
        },
        { heading: '有问题的行', text: '下载问题清单，按末列的说明修改后直接上传；已导入的行不需要重新上传。' },
        { heading: '长号码', text: '信用代码、手机号所在的列请设为“文本”格式，否则 Excel 会丢失末几位数字。' },
      ],
    },
  },
  {
    path: 'imports/:id(\\d+)',
    name: 'import',
    component: () => import('./ImportPage.vue'),
    meta: { title: '导入', parent: 'imports', permissions },
  },
] satisfies FeatureRoute[]
