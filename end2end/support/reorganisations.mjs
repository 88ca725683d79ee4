// Files that reorganise units, and the form that uploads them.

/** A file for the upload field, from its rows without the header. */
function planFile(name, rows) {
  const text = ['Mã cũ;Mã mới;Mã cấp trên mới;Tên mới;Phần;Vai trò', ...rows.map((row) => row.join(';')), ''].join('\n');
  return { name, mimeType: 'text/csv', buffer: Buffer.from(text) };
}

/** Uploads files with the day of the form, and waits for the preview. */
export async function uploadPlan(visitor, files) {
  if (visitor.path !== '/reorganisations/new') await visitor.open('/reorganisations/new');
  await visitor.field('files').setInputFiles(files.map(({ name, rows }) => planFile(name, rows)));
  await Promise.all([visitor.page.waitForURL(/\/reorganisations\/[0-9A-Z]{26}$/), visitor.sender('files').click()]);
  await visitor.settled();
  return visitor.path;
}

/** The preview of a file: uploaded once, later found in the list by the file's name. */
export async function plannedOnce(visitor, name, rows) {
  await visitor.open('/reorganisations');
  const known = visitor.$('main .row', { hasText: name });
  if ((await known.count()) > 0) return known.first().locator('.row-link').getAttribute('href');
  return uploadPlan(visitor, [{ name, rows }]);
}
