// SPDX-License-Identifier: Apache-2.0
/* detail.c: see detail.h. Data: one table. A text that has a part of its own (a number, a name) has a
 * star for it, the same stars in the same order in both languages; the longer patterns stand first.
 * tests/api/details.py looks whether every detail of the sources stands here. */
#include "web/detail.h"

#include <string.h>
#include "base/compiler.h"

enum { STARS_MAX = 4 };

/* clang-format off */
static const struct {
    const char *en, *zh;
} rows[] = {
    {"',' or ']' is expected", "此处应为逗号或 ]"},
    {"',' or '}' is expected", "此处应为逗号或 }"},
    {"':' is expected", "此处应为冒号"},
    {"0 = none", "0 表示无"},
    {"0 = none, else 20 or more", "0 表示无，否则至少 20"},
    {"0 or more", "不小于 0"},
    {"0, or 1 for a bill of shares", "0；分账账单为 1"},
    {"1 to 200", "1 到 200"},
    {"16 hexadecimal digits", "应为 16 位十六进制数字"},
    {"20,000 lines or more", "达到 20,000 行"},
    {"a binary row in a JSON table", "表中有二进制行"},
    {"a column twice", "有重复的列"},
    {"a date like 20261125", "日期格式如 20261125"},
    {"a discharge has none", "放电没有此项"},
    {"a driver, or one card or VIN", "填车主，或一张卡、一个 VIN"},
    {"a key has a staff role", "接口密钥只能用员工角色"},
    {"a member name is expected", "此处应为成员名"},
    {"a new account needs one", "新账号必须填写"},
    {"a number is expected", "应为数字"},
    {"a number of the bill is too long", "账单中有单号过长"},
    {"a partner has a party, nobody else has", "只有合作方账号对应分成方"},
    {"a party's share, or a payment's principal", "填分成方的份额，或一笔充值的本金"},
    {"a payout waits here no more, or stands in a file", "有出款已不在此渠道待付，或已列入付款文件"},
    {"a prepaid company has none", "预付企业没有此项"},
    {"a ratio, fee or unit is out of range, a party stands twice, or nobody shares in a fee", "比例、费用或单位超出范围，或分成方重复，或某项费用没有人分"},
    {"a row has other columns than the header", "有一行的列与表头不一致"},
    {"a string is expected", "应为字符串"},
    {"a text has no \\u0000 in it", "文本中不能有 \\u0000"},
    {"a tier of a party that has no ratio in this fee", "该分成方在此费用项没有比例，不能设阶梯"},
    {"a tier stands twice", "阶梯重复"},
    {"a value is expected", "此处应有值"},
    {"above the greatest value", "超过最大值"},
    {"agents stand in a circle", "代理关系成环"},
    {"all files together: more than firmware.total_mb", "全部文件合计超过 firmware.total_mb"},
    {"an agent, and nobody else, names whose share it is part of", "只有下级代理须指明从谁的份额中提取"},
    {"an amount of the bill is none", "账单中有金额无法识别"},
    {"an API key is revoked, not logged out", "接口密钥只能吊销，不能退出登录"},
    {"an array is expected", "应为数组"},
    {"an object", "应为对象"},
    {"an object is expected", "应为对象"},
    {"another bill of that day was imported", "该日已导入另一份账单"},
    {"another member is another row", "其他成员请另建一行"},
    {"another part of it is being taken", "正在接收该文件的另一部分"},
    {"at least 6 letters and digits", "至少 6 位字母或数字"},
    {"at most 1,000 rows", "最多 1,000 行"},
    {"at most 16 bytes", "最多 16 字节"},
    {"at most 3,999 bytes", "最多 3,999 字节"},
    {"at most twelve months", "最多十二个月"},
    {"bad \\u escape", "\\u 转义有误"},
    {"bad escape", "转义有误"},
    {"bad escape in the query string", "查询参数的转义有误"},
    {"bad number", "数字有误"},
    {"bad path", "路径有误"},
    {"below the least value", "低于最小值"},
    {"clauses are not numbered from 1", "条款须从 1 开始编号"},
    {"control character in a string", "字符串中有控制字符"},
    {"digits, with an optional + in front", "只能是数字，前面可加 +"},
    {"drivers log in by phone", "车主用手机号登录"},
    {"for staff only", "仅限员工"},
    {"from and to: yyyymm", "起止月份格式为 yyyymm"},
    {"given twice", "重复给出"},
    {"how it is resolved", "请填处理方式"},
    {"Idempotency-Key is too long", "Idempotency-Key 过长"},
    {"is of no known kind", "条款类型未知"},
    {"it ends before it begins", "结束时间早于开始时间"},
    {"it is closed", "该日已日结"},
    {"it is complete, or withdrawn", "文件已完整或已撤回"},
    {"it is for chargers of another model", "该固件适用于其他型号的桩"},
    {"it is for chargers of another vendor", "该固件适用于其他厂商的桩"},
    {"it is not complete, or withdrawn", "文件不完整或已撤回"},
    {"it is resolved already", "已处理过"},
    {"it is the bill of another day: none of its rows is of that one", "这是另一天的账单：没有一行属于该日"},
    {"its driver's account is closed", "该车主账户已注销"},
    {"its driver's wallet is frozen", "该车主钱包已冻结"},
    {"its number is longer than a user's name", "桩编号超过用户名长度"},
    {"its number is out of range", "数值超出范围"},
    {"its number stands twice", "条款编号重复"},
    {"its party is disabled", "该分成方已停用"},
    {"its party's payee is another one by now, or is not verified", "该分成方的收款信息已变更，或未通过核验"},
    {"its remainder cannot be", "剩余比例无法成立"},
    {"its threshold is out of range", "起算值超出范围"},
    {"letters and digits", "只能是字母和数字"},
    {"letters, digits and hyphens", "只能是字母、数字和连字符"},
    {"lone surrogate", "不成对的代理字符"},
    {"member given twice", "成员重复"},
    {"message too large", "内容过大"},
    {"month: yyyymm", "月份格式为 yyyymm"},
    {"more than 0", "必须大于 0"},
    {"more than 0 when a wallet pays", "由钱包付款时必须大于 0"},
    {"more than firmware.max_mb", "超过 firmware.max_mb"},
    {"more than four agents above each other", "代理层级超过四级"},
    {"more than four thresholds", "起算值超过四个"},
    {"names a fee that nobody shares in", "指明的费用项没有人分"},
    {"names no fee", "没有指明费用项"},
    {"names no party", "没有指明分成方"},
    {"nested too deep", "嵌套过深"},
    {"no action of the platform in this protocol", "该协议中没有这个平台指令"},
    {"no connector has this code", "没有枪使用此枪码"},
    {"no header line", "缺少表头行"},
    {"no payout waits that stands in no file", "没有待付且未列入付款文件的出款"},
    {"no sender of text messages is set up", "未设置短信发送方式"},
    {"no such card or VIN", "没有这张卡或这个 VIN"},
    {"no such operator", "没有这个运营商"},
    {"no such party", "没有这个分成方"},
    {"no such party of this operator", "本运营商没有这个分成方"},
    {"no texts are sent there: eleven digits, or + with a country that is served", "短信发不到该号码：请填 11 位手机号，或 + 加可服务的国家代码"},
    {"nobody disables their own account", "不能停用自己的账号"},
    {"not a cursor that we gave", "不是本系统给出的翻页游标"},
    {"not a date and time", "不是日期时间"},
    {"not a number", "不是数字"},
    {"not whoever made the file or asked for the payout", "不能由生成文件者或申请该笔出款者操作"},
    {"not a number of this kind", "数字形式不符"},
    {"not negative", "不能为负"},
    {"not one of the known values", "不是可用的值"},
    {"not well-formed UTF-8", "不是合法的 UTF-8"},
    {"nothing, or more than was announced", "没有内容，或超过登记的大小"},
    {"null where a value is required", "必填项不能为 null"},
    {"number too large", "数字过大"},
    {"percentages come to more than all", "百分比合计超过 100%"},
    {"required member missing", "缺少必填项"},
    {"rounding half up needs the operator in every fee: it takes the rest", "四舍五入时每项费用都须有运营商，由其承担尾差"},
    {"set up from this machine, or with X-Setup-Token", "请在本机安装，或带上 X-Setup-Token"},
    {"something stands behind the closing line", "汇总行之后还有内容"},
    {"staff name the connector", "后台启动请指定枪"},
    {"starting or draining", "正在启动或正在停止"},
    {"text after the end of the value", "内容结束后还有文字"},
    {"text ends inside a string", "字符串没有结束"},
    {"text ends inside an escape", "转义没有结束"},
    {"text ends where a value is expected", "此处应有值，内容却已结束"},
    {"text too long", "文本过长"},
    {"text too short", "文本过短"},
    {"that day is closed", "该日已日结"},
    {"that day is not over in China", "按中国时间该日尚未结束"},
    {"the agent has a ratio of its own in this fee", "该代理在此费用项已有自己的比例"},
    {"the bank's number of the transfer", "请填银行流水号"},
    {"the bill has no closing line", "账单缺少汇总行"},
    {"the channel's fee is taken twice", "渠道费率扣了两次"},
    {"the closing line counts other rows", "汇总行的行数不符"},
    {"the code on the connector", "请填枪上的编码"},
    {"the file is not the one announced", "文件与登记的不一致"},
    {"the guarantee is above the cap", "保底高于封顶"},
    {"the installation is set up already", "系统已完成安装"},
    {"the operator has no cap, guarantee or rent", "运营商自己没有封顶、保底或租金"},
    {"the party above has no share in this fee", "上级分成方在此费用项没有份额"},
    {"the party has two of them", "该分成方有两条同类条款"},
    {"the party is an agent twice", "该分成方两次作为代理"},
    {"the ratios of a tier must sum to what they sum to without it", "阶梯内的比例合计须与未设阶梯时相同"},
    {"there are several operators: say which", "有多个运营商，请选择"},
    {"this address takes no body", "该地址不接受请求体"},
    {"this channel has no bill of shares", "该渠道没有分账账单"},
    {"tiers by money and by energy together", "不能同时按金额和电量设阶梯"},
    {"too few elements", "元素过少"},
    {"too long", "过长"},
    {"too many clauses", "条款过多"},
    {"too many codes were asked for in this hour", "本小时请求的验证码过多"},
    {"too many connectors: ask for one station", "枪太多：请按场站查询"},
    {"too many elements", "元素过多"},
    {"too many parties", "分成方过多"},
    {"too many query arguments", "查询参数过多"},
    {"too many rows are of other days", "其他日期的行过多"},
    {"too often today for this phone", "该手机号今天请求过多"},
    {"too often today from this network", "该网络今天请求过多"},
    {"true or false is expected", "应为 true 或 false"},
    {"unknown member", "未知的成员"},
    {"unknown query argument", "未知的查询参数"},
    {"unknown time zone", "未知的时区"},
    {"what is left is for orders and money", "剩余磁盘空间要留给订单和资金"},
    {"what the rail paid, more than 0", "请填渠道实际支付的金额，大于 0"},
    {"what was found", "请填查明的情况"},
    {"which one", "请指明是哪一个"},
    {"who looks after it", "请填负责人"},
    {"whose account it is", "请填账户归属"},
    {"why", "请填原因"},
    {"why, or the bank's number", "请填原因或银行流水号"},
    {"yyyymm", "格式为 yyyymm"},
    {"yyyymmdd", "格式为 yyyymmdd"},
    {"more than * rows differ: is it this channel's bill?", "差异超过 * 行，这是该渠道的账单吗？"},
    {"it is the bill of another day: a row is of *", "这是另一天的账单：有一行属于 *"},
    {"a row is of a type that is not known: *", "有一行的类型未知：*"},
    {"* differences that nobody looks after", "有 * 项差异没有负责人"},
    {"cards[*]: no card with credit offline", "cards[*]：没有可离线使用的余额卡"},
    {"it does not explain itself: off by *", "账目对不上，相差 *"},
    {"row * belongs to another channel", "第 * 行属于其他渠道"},
    {"no bill of the shares of *", "缺少 * 的分账账单"},
    {"a row has no time: *", "有一行没有时间：*"},
    {"line *: * is not a number", "第 * 行：* 不是数字"},
    {"line *: result is *, * or nothing", "第 * 行：结果只能是 *、* 或留空"},
    {"unknown column *: *", "第 * 列不认识：*"},
    {"* bytes are here", "此处已有 * 字节"},
    {"at most * bytes", "最多 * 字节"},
    {"no bill of *", "缺少 * 的账单"},
    {"no column *", "缺少列 *"},
    {"line * has other cells than the header, a quote that does not close, or is no UTF-8", "第 * 行的列数与表头不符、引号未闭合或不是 UTF-8"},
    {"lines * and * are of the same one", "第 * 行与第 * 行是同一笔"},
};
/* clang-format on */

/* What stands for the stars of the pattern; -1 = it is another text. */
static int stars_read(const char *pattern, const char *text, struct str star[STARS_MAX])
{
    int n = 0;

    for (const char *p = pattern; *p != 0; p++) {
        const char *rest = p + 1, *end;
        size_t len = strcspn(rest, "*");

        if (*p != '*') {
            if (*text++ != *p)
                return -1;
            continue;
        }
        end = text;
        while (*end != 0 && (len == 0 || strncmp(end, rest, len) != 0))
            end++;
        if (n == STARS_MAX || end == text)
            return -1;
        star[n++] = str_from(text, (size_t)(end - text));
        text = end;
    }
    return *text == 0 ? n : -1;
}

static struct str stars_write(struct arena *a, const char *pattern, const struct str *star)
{
    struct str out = STR_LIT("");

    for (const char *p = pattern; *p != 0;) {
        size_t len = strcspn(p, "*");

        out = arena_printf(a, "%.*s%.*s", STR_FMT(out), (int)len, p);
        p += len;
        if (*p == '*') {
            out = arena_printf(a, "%.*s%.*s", STR_FMT(out), STR_FMT(*star));
            star++;
            p++;
        }
    }
    return out;
}

static struct str row_zh(struct arena *a, const char *detail)
{
    struct str star[STARS_MAX];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int n = stars_read(rows[i].en, detail, star);

        if (n == 0)
            return str_from_c(rows[i].zh);
        if (n > 0)
            return stars_write(a, rows[i].zh, star);
    }
    return STR_NONE;
}

/* "cards[0].tag: text too long": a place, and what is wrong there. */
struct str detail_zh(struct arena *a, const char *detail)
{
    struct str zh = detail != NULL ? row_zh(a, detail) : STR_NONE;
    const char *colon = detail != NULL && zh.n == 0 ? strstr(detail, ": ") : NULL;

    if (colon == NULL)
        return zh;
    zh = row_zh(a, colon + 2);
    if (zh.n == 0)
        return zh;
    return arena_printf(a, "%.*s：%.*s", (int)(colon - detail), detail, STR_FMT(zh));
}
