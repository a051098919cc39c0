/* Gathered from the answers of some hundred services (tests/answers) and the error tables they publish. */
#include "http/rules/vocabulary.h"

const char kb_names_quota[] =
    "insufficient~ .. credit~|insufficient~ quota|insufficient~ .. balance|insufficient~ fund~|not enough .. credit~|"
    "not enough .. balance|out of credit~|no credit~|credit~ exhausted|credit~ .. exceeded|credit limit~|"
    "quota exceeded~|quota limit~|quota exhausted|quota reached|quota .. exceed~|exceed~ .. quota|out of quota|"
    "over quota|no quota|quota insufficient|key exhausted|balance exhausted|exhausted balance|balance insufficient|"
    "payment required|billing~|budget exceed~|arrearage|arrears|overdue|account overdue~|overdue payment|past "
    "due|unpaid|"
    "free tier only|daily limit~|daily .. exceeded|monthly limit~|monthly .. exceeded|daily|"
    "monthly|usage limit~|usage exceeded|over query limit|over daily limit|access limit reached|spending limit~|"
    "spend limit~|hard limit~|plan limit~|limit~ .. plan|per day|requests per day|top up|low balance|balance low|"
    "credit balance~|out of call volume|max monthly~|trial expired|subscription expired|run out of~|funds";

const char kb_names_rate[] =
    "rate limit~|ratelimit~|rate exceeded|rate exceed~|rate quota|too many requests~|too many .. requests|"
    "too many tokens|too many concurrent~|too many connections|too many calls|throttl~|concurren~|slow down|over rate|"
    "over qps|qps~|rpm~|tpm~|flood~|call frequency|request limit~|requests limit~|limit requests|limit burst rate|"
    "too fast|too frequent~|per minute|per second|limit exceeded|developer over qps|developer over rate|query rate|"
    "burst~ .. exceeded|qps limit|rate limited|complexity exception|enhance your calm";

const char kb_names_rate_limit[] = "rate limit~|ratelimit~|rate limited";

const char kb_names_blame[] =
    "content polic~|content moderation|moderation~|moderated|content filter~|content blocked|content violation|"
    "content prohibited|prohibited content|safety~|unsafe~|sensitive~|nsfw|public figure|inappropriate~|"
    "responsible ai~|data inspection~|unsupported country~|country~|region~|territory|unsupported location|"
    "location .. supported|geo~|policy violation|usage polic~|invalid prompt~|blocked prompt|prompt blocked|flagged|"
    "copyright~|risk .. detected|csrf~|ip blocked|blocked by waf|waf~";

const char kb_names_key[] =
    "invalid .. api key|api key .. invalid|api key .. not found|api key .. expired|api key .. disabled|"
    "api key .. revoked|api key .. missing|api key .. required|api key .. inactive|api key .. blocked|apikey~ invalid|"
    "api key disabled|incorrect api key|missing api key|invalid apikey|keyinvalid|key invalid|key expired|"
    "invalid key|invalid access key~|invalid token|token invalid|token expired|expired token|token revoked|"
    "invalid access token|invalid auth~|invalid credential~|bad credential~|credential~ invalid|credential~ expired|"
    "expired authentication|account deactivated|account disabled|account suspended|account inactive|account locked|"
    "account blocked|user inactive|consumer suspended|consumer invalid|key blocked|leaked|unrecognized client~|"
    "signature does not match|invalid signature~|auth failure|missing .. credential~|missing .. token|no auth~";

const char kb_names_auth[] =
    "unauthori~|unauthenticated|authentication~|authenticate|authorization~|auth~|not authed|not authorized|"
    "access denied|permission~|forbidden|request denied|service disabled|access not configured|login~|"
    "missing .. key|missing auth~|not subscribed|invalid grant|invalid client|insufficient permission~|"
    "insufficient scope|missing scope~|missing permission~|restricted resource|revoked|key .. inactive|access .. "
    "denied|"
    "invalid user~|user not found|no permission~|no access~|access restricted";

const char kb_names_overload[] =
    "overload~|server overloaded|server busy|system busy|service busy|engine busy|model busy|busy|capacity~|"
    "heavy load|high load|high demand|no available~|congest~|resource busy|serving limit~";

const char kb_names_trouble[] =
    "unavailable|internal~|server error|timeout|timed out|maintenance|upstream error|"
    "bad gateway|loading|backend error|service error|system error|temporar~|"
    "unknown error|try again~|readonly|read only|gateway timeout|not ready|api error|deadline exceeded";

const char kb_names_request[] =
    "validation~|invalid value|invalid param~|invalid parameter~|invalid input|invalid type|invalid format|missing "
    "param~|"
    "missing required~|missing field~|missing parameter~|required|value error~|type error~|too long|too large|"
    "too short|out of range|unsupported~|unknown parameter|unprocessable~|schema~|malformed~|parse error|"
    "invalid json|context length~|string~|not one of|enum~|extra forbidden";

const char kb_messages_quota[] =
    "insufficient .. credit~|insufficient .. balance|insufficient .. fund~|insufficient .. quota|lack .. credit~|"
    "not enough .. credit~|dont have .. credit~|do not have .. credit~|not enough .. balance|not enough .. fund~|"
    "not enough .. token~|out of credit~|out of .. credit~|run out of|ran out of|no credit~|no more credit~|"
    "no .. credit~ .. left|no .. credit~ .. remaining|no remaining credit~|0 credits|credit~ exhausted|"
    "credit~ .. exhausted|credit~ .. depleted|credit~ .. used up|credit~ .. exceeded|credit~ .. expired|used all .. "
    "credit~|"
    "exceeded .. credit~|maximum credits|credit balance|balance .. too low|low balance|balance .. insufficient|"
    "balance .. negative|balance .. not enough|enough balance|negative balance|balance .. exhausted|exhausted "
    "balance|balance .. depleted|exceeded .. "
    "current quota|"
    "exceed~ .. quota|quota .. exceeded|quota exceeded|quota .. exhausted|quota .. reached|quota .. used up|"
    "quota .. depleted|reached .. quota|out of .. quota|over .. quota|out of call volume|used up .. quota|"
    "monthly .. quota|daily .. quota|monthly quota|exceeded .. monthly|exceeded .. daily|daily limit|daily .. limit|"
    "monthly limit|monthly .. limit|monthly .. usage|limit for the day|limit for today|limit for .. month|usage limit~|"
    "usage .. limit|spending limit|spend limit|spending cap|hard limit|billing .. limit|billing .. not active|"
    "top up|recharge|payment required|overdue|past due|unpaid|arrears|trial .. expired|trial .. ended|"
    "subscription .. expired|subscription .. ended|plan .. expired|no more requests|no more .. requests|out of "
    "searches|"
    "run out .. searches|no searches left|allowance .. exceeded|allotment|allocated .. exceeded|"
    "searches .. exhausted|requests .. exhausted|calls .. exhausted|exhausted .. month~|exhausted .. daily|"
    "budget .. exceeded|余额不足|欠费|额度|配额已";

const char kb_messages_empty[] =
    "insufficient balance|insufficient account balance|insufficient credit~|out of credits|"
    "credit balance is too low|not enough credits|no credits left|quota has been exhausted|quota is exhausted|"
    "quota exhausted|余额不足|欠费";

const char kb_messages_rate[] =
    "rate limit~|ratelimit~|rate limited|rate exceeded|rate is exceeded|exceeded .. rate|too many request~|"
    "too many .. requests|too many tokens|too many calls|too many queries|too many concurrent~|too many attempts|"
    "throttl~|slow down|call frequency|request~ limitation|concurren~ .. limit~|concurrent request~|"
    "request~ limit|requests per minute|requests per second|calls per minute|calls per second|per minute|"
    "per second|over rate|over qps|over limit|limit exceeded|limit .. exceeded|limit reached|limit .. reached|"
    "exceed~ .. limit~|reached .. limit|max rate|too fast|too frequent~|too quickly|too often|flood~|request .. "
    "limited|"
    "be nice|calm down|频率|频繁|限流";

const char kb_messages_period[] =
    "per day|a day|daily|per month|a month|monthly|day|month|24 hours|24hrs|24 hrs|per week|weekly";

const char kb_messages_instant[] =
    "per minute|per second|minute|second|per hour|hour|minutes|seconds|concurrent~|rpm|tpm|burst|per min|min|sec";

const char kb_messages_blame[] =
    "was flagged|were flagged|is flagged|been flagged|flagged by|flagged as|content moderation|moderation system|"
    "content polic~|content filter~|content management policy|safety system|safety .. filter~|safety .. polic~|safety "
    ".. guideline~|"
    "violat~ .. polic~|violat~ .. guideline~|violate~ .. terms|country .. not supported|region .. not supported|"
    "country region|territory not supported|not available in your country|not available in your region|"
    "not supported in your~|unavailable in your country|unavailable in your region|not available in your "
    "location|location is not supported|"
    "unsupported .. country|unsupported .. region|sensitive content|sensitive word~|inappropriate content|"
    "public figure|nsfw|copyrighted|harmful content|prohibited content|csrf";

const char kb_messages_key[] =
    "invalid .. api key|api key .. invalid|api key .. not valid|api key .. expired|api key .. not found|"
    "api key .. missing|api key .. required|api key .. incorrect|api key .. disabled|api key .. revoked|"
    "api key .. leaked|api key .. not authorized|api key .. not active|api key .. inactive|api key .. suspended|"
    "incorrect api key|wrong api key|missing api key|missing .. api key|no api key|use an api key|provide .. api key|"
    "invalid apikey|apikey .. invalid|apikey .. missing|invalid .. apikey|apikey is invalid|invalid api token|api "
    "token .. invalid|"
    "invalid .. access key|invalid access token|access token .. expired|access token .. invalid|access token .. "
    "revoked|"
    "invalid auth~ token|invalid token|token is invalid|token .. expired|token .. revoked|invalid bearer token|"
    "invalid credential~|bad credential~|credentials .. invalid|invalid .. credentials|authentication failed|"
    "authentication error|authentication required|invalid authentication|not authenticated|invalid x api key|"
    "organization .. disabled|account .. deactivated|account .. disabled|account .. suspended|account .. terminated|"
    "account .. banned|account .. closed|account .. blocked|invalid key|invalid license key|unauthorized";

const char kb_messages_request[] =
    "execution reverted|invalid argument|invalid params|invalid value|not a valid|validation error|validation failed|"
    "duplicate content|not one of the allowed|request too large|prompt is too long|reduce your message size|"
    "tokens must be reduced|maximum context length";

const char kb_messages_overload[] =
    "overloaded|heavy traffic|high traffic|internal error|internal server error|high demand|heavy load|high load|at "
    "capacity|no capacity|over capacity|"
    "exceeded .. capacity|capacity exceeded|out of capacity|server is busy|servers are busy|server .. busy|system .. "
    "busy|service .. busy|"
    "model .. busy|engine .. busy|temporarily unavailable|service unavailable|currently unavailable|"
    "currently loading|is loading|no available~|no healthy upstream";
