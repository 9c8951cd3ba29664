// Passwords on the command lines of well-known programs.
#include "base/redact_scan.hpp"
#include "base/redact_text.hpp"

#include <algorithm>
#include <array>

namespace reeve {
namespace {

/// What of an option's value is the secret.
enum class part : std::uint8_t {
  whole,
  behind_colon,    // user:password
  behind_percent,  // user%password
  behind_comma,
  slash_pair,  // user/password@database, wherever it stands
  first,       // the first argument: "vault login x"
  second,      // the second argument: "add_user bob x"
  last,        // the last argument: "htpasswd -b file bob x"
  fourth,      // the fourth argument: "mc alias set h http://x user y"
  mysqladmin,  // whole, and "password x" as well
};

struct tool {
  std::string_view word;     // in lower case
  std::string_view options;  // between blanks
  part which;
  bool apart = true;  // a blank may stand between option and value
};

constexpr tool tools[] = {
    {"curl", " -u -U --user --proxy-user ", part::behind_colon},
    {"http ", " -a ", part::behind_colon},
    {"https ", " -a ", part::behind_colon},
    {"wget", " --user ", part::behind_colon},
    {"mysql", " -p ", part::whole, false},
    {"mariadb", " -p ", part::whole, false},
    {"mycli", " -p ", part::whole},
    {"mysqladmin", " -p ", part::mysqladmin, false},
    {"sshpass", " -p ", part::whole},
    {"redis-cli", " -a ", part::whole},
    {"valkey-cli", " -a ", part::whole},
    {"mongo", " -p ", part::whole},
    {" login", " -p ", part::whole},
    {"\"login\"", " -p ", part::whole},
    {"sqlcmd", " -P ", part::whole},
    {"bcp ", " -P ", part::whole},
    {"tsql", " -P ", part::whole},
    {"ldapsearch", " -w ", part::whole},
    {"ldapadd", " -w ", part::whole},
    {"ldapmodify", " -w ", part::whole},
    {"ldapdelete", " -w ", part::whole},
    {"ldapwhoami", " -w ", part::whole},
    {"ldappasswd", " -w -s ", part::whole},
    {"smbclient", " -U ", part::behind_percent},
    {"rpcclient", " -U ", part::behind_percent},
    {"rabbitmqadmin", " -p ", part::whole},
    {"zip ", " -P ", part::whole},
    {"7z", " -p ", part::whole, false},
    {"rar ", " -p -hp ", part::whole, false},
    {"az ", " -p ", part::whole},
    {"nxc ", " -p ", part::whole},
    {"crackmapexec", " -p ", part::whole},
    {"rdesktop", " -p ", part::whole},
    {"mosquitto_", " -P ", part::whole},
    {"mqtt ", " -pw ", part::whole},
    {"twine", " -p ", part::whole},
    {"caddy", " --plaintext ", part::whole},
    {"skopeo", " --src-creds --dest-creds --creds ", part::behind_colon},
    {"nmcli", "", part::mysqladmin},
    {"mc alias set", "", part::fourth},
    {"ipmitool", " -P ", part::whole},
    {"snmp", " -A -X ", part::whole},
    {"cqlsh", " -p ", part::whole},
    {"lftp", " -u ", part::behind_comma},
    {"useradd", " -p ", part::whole},
    {"usermod", " -p ", part::whole},
    {"openssl", " -k ", part::whole},
    {"psexec", " -p ", part::whole},
    {"evil-winrm", " -p ", part::whole},
    {"plink", " -pw ", part::whole},
    {"pscp", " -pw ", part::whole},
    {"psftp", " -pw ", part::whole},
    {"freerdp", " /p: ", part::whole, false},
    {"vault login", "", part::first},
    {"ssh-keygen", " -N -P ", part::whole},
    {"htpasswd", "", part::last},
    {"sqlplus", "", part::slash_pair},
    {"expdp", "", part::slash_pair},
    {"impdp", "", part::slash_pair},
    {"sqlldr", "", part::slash_pair},
    {"jdbc:oracle:thin:", "", part::slash_pair},
    {"add_user", "", part::second},
    {"change_password", "", part::second},
    {"authenticate_user", "", part::second},
};

constexpr auto options = std::to_array<std::string_view>(
    {"-p", "-u", "-a", "-w", "-x", "-k", "-pw", "-s", "-n", "-hp", "--user", "--proxy-user",
     "/p:", "--plaintext", "--src-creds", "--dest-creds", "--creds",
     // "-sSu" and the like of curl
     "fu ", "gu ", "iu ", "ku ", "lu ", "su ", "vu "});

bool is_port_or_id(std::string_view text) {
  static constexpr sign_set numeric("0123456789.:/");
  return numeric.hold(text) && (text.find(':') != text.npos || text.size() <= 4);
}

void hide_behind(line_scan& scan, secret_span span, char sign) {
  const auto text = scan.text(span).substr(0, 256);
  const auto place = text.find(sign);
  if (place == text.npos || text.find("[redacted") < place || is_port_or_id(text) || is_place(text))
    return;
  span.begin += place + 1;
  if (span.begin < span.end && !is_no_secret(scan.text(span))) scan.hide(span);
}

/// "scott/tiger@db" behind the program's name, options in between.
void hide_slash_pair(line_scan& scan, std::size_t at) {
  const auto near = scan.line.substr(at, 160);
  const auto slash = near.find('/');
  if (slash == near.npos || slash == 0 || !is_alnum(near[slash - 1])) return;
  const auto rest = near.substr(slash + 1);
  static constexpr sign_set stops("@ \t\"'");
  const auto end = stops.find(rest, 0);
  if (end == 0 && !rest.empty()) return;
  if (end == rest.size() || rest[end] != '@') {
    // Without a database a path looks the same.
    if (rest.substr(0, end).find('/') != rest.npos || !looks_made_up(rest.substr(0, end))) return;
  }
  const auto begin = at + slash + 1;
  const auto password = rest.substr(0, end);
  if (!is_no_secret(password)) {
    scan.hide_ahead({begin, begin + password.size(), credential_kind, false});
  }
}

void hide_first(line_scan& scan, std::size_t at) {
  const auto begin = scan.skip_blanks(at);
  if (begin == at || begin >= scan.line.size() || !is_alnum(scan.line[begin])) return;
  const auto found = value_at(scan, begin, false, credential_kind);
  const auto text = scan.text(found.span);
  if (looks_made_up(text) || begins_with(text, "s.")) scan.hide(found.span);
}

void hide_second(line_scan& scan, std::size_t at) {
  const auto first = scan.skip_blanks(at);
  if (first == at || !is_alnum(scan.at(first))) return;
  const auto user = before_any(scan.line.substr(first, 64), " \t"_signs);
  const auto begin = scan.skip_blanks(first + user.size());
  if (begin >= scan.line.size() || begin == first + user.size()) return;
  const auto found = value_at(scan, begin, false, credential_kind);
  const auto text = scan.text(found.span);
  if (!is_no_secret(text) && !is_small_word(text.substr(0, 20)) && !is_status_word(text)) {
    scan.hide_ahead(found.span);
  }
}

void hide_fourth(line_scan& scan, std::size_t at) {
  for (int words = 0; words < 3; ++words) {
    at = scan.skip_blanks(at);
    at += before_any(scan.line.substr(at, 128), " \t\"'"_signs).size();
    if (!is_blank(scan.at(at))) return;
  }
  const auto found = value_at(scan, scan.skip_blanks(at), false, credential_kind);
  if (!is_no_secret(scan.text(found.span))) scan.hide_ahead(found.span);
}

/// The last word before the command's end, if the first option has a 'b'.
void hide_last(line_scan& scan, std::size_t at) {
  at = scan.skip_blanks(at);
  const auto option = before_any(scan.line.substr(at, 16), " \t"_signs);
  if (!option.starts_with('-') || option.find('b') == option.npos) return;
  at += option.size();
  static constexpr sign_set blanks(" \t");
  const auto stop = scan.command_end.find(scan.line, "|;&>"_signs, at);
  const auto rest = trimmed(scan.line.substr(at, std::min<std::size_t>(256, stop - at)));
  const auto word = blanks.behind_last(rest);
  // With -n there is no file.
  const bool has_file = option.find('n') == option.npos;
  if (word == 0 || (has_file && blanks.find(rest, 0) + 1 == word)) return;
  const auto begin = static_cast<std::size_t>(rest.data() - scan.line.data()) + word;
  auto found = value_at(scan, begin, false, credential_kind);
  if (!is_no_secret(scan.text(found.span))) scan.hide_ahead(found.span);
}

/// No other command has begun since the program was named.
bool same_command(line_scan& scan, std::size_t at) {
  const auto from = std::min(scan.tool_checked, at);
  static constexpr sign_set ends("|;&");
  if (ends.stand_in(scan.line.substr(from, at - from))) {
    scan.tool = -1;
    return false;
  }
  scan.tool_checked = at;
  return true;
}

/// The option is one of these, which stand between blanks.
bool takes(std::string_view options, std::string_view option) {
  for (auto at = options.find(option); at != options.npos; at = options.find(option, at + 1)) {
    const auto end = at + option.size();
    if (at > 0 && options[at - 1] == ' ' && end < options.size() && options[end] == ' ')
      return true;
  }
  return false;
}

/// Programs that take the value right behind the option as well as after a blank.
bool attached(std::string_view tool) {
  return tool == "sshpass" || tool == "mongo" || tool == "sqlcmd" || tool == "mycli" ||
         tool == "curl" || tool == "bcp " || tool == "zip ";
}

}  // namespace

std::vector<std::string_view> tool_words() {
  std::vector<std::string_view> all;
  for (const auto& one : tools) all.push_back(one.word);
  return all;
}

std::vector<std::string_view> option_words() {
  return {options.begin(), options.end()};
}

void take_tool(line_scan& scan, std::size_t number, std::size_t begin, std::size_t end) {
  const auto& one = tools[number];
  if (is_alnum(one.word.front()) && begin > 0 && is_alnum(scan.line[begin - 1]) &&
      one.word != "zip " && one.word != "rar " && one.word != "freerdp") {
    return;
  }
  if (one.which == part::slash_pair) return hide_slash_pair(scan, end);
  if (one.which == part::first) return hide_first(scan, end);
  if (one.which == part::second) return hide_second(scan, end);
  if (one.which == part::last) return hide_last(scan, end);
  if (one.which == part::fourth) return hide_fourth(scan, end);
  if (one.word == " login") scan.has_login = true;
  scan.tool = static_cast<int>(number);
  scan.tool_checked = end;
}

bool takes_spaced_password(const line_scan& scan) {
  return scan.tool >= 0 && tools[static_cast<std::size_t>(scan.tool)].which == part::mysqladmin;
}

void take_option(line_scan& scan, std::size_t begin, std::size_t end) {
  if (scan.tool < 0 || begin == 0) return;
  const auto line = scan.line;
  const auto& one = tools[static_cast<std::size_t>(scan.tool)];
  if (line[end - 1] == ' ' && one.word == "curl") {
    // "-sSu": the last of several letters.
    const auto cluster = left_of(line, end - 1, 10);
    auto dash = cluster.size();
    while (dash > 0 && is_alpha(cluster[dash - 1])) --dash;
    if (dash < 2 || cluster[dash - 1] != '-' || !is_blank(cluster[dash - 2])) return;
    begin = end - 2;
    end = end - 1;
    if (!same_command(scan, begin)) return;
    const auto found = value_at(scan, scan.skip_blanks(end), false, credential_kind);
    return hide_behind(scan, found.span, ':');
  }
  const char before = line[begin - 1];
  if (!is_blank(before) && !is_quote(before)) return;
  const auto name = line.substr(begin, end - begin);
  if (!takes(one.options, name) || !same_command(scan, begin)) return;
  auto at = end;
  const bool in_list = is_quote(before) && scan.at(at) == before;
  if (in_list) {
    // ["sshpass", "-p", "x"]
    at = scan.skip_blanks(at + 1);
    if (scan.at(at) != ',') return;
    at = scan.skip_blanks(at + 1);
  } else if (is_blank(scan.at(at)) || (scan.at(at) == '=' && name.size() > 2)) {
    at = is_blank(line[at]) ? scan.skip_blanks(at) : at + 1;
  }
  if (at >= line.size() || (at > end && !one.apart)) return;
  auto found = value_at(scan, at, false, credential_kind);
  const auto text = scan.text(found.span);
  // "--username" and "-path" are other options.
  const bool may_be_other = at == end && one.apart && !attached(one.word) && !is_quote(line[at]);
  if (may_be_other && !looks_made_up(text)) return;
  if (text.empty() || text[0] == '-' || (!found.quoted && is_place(text))) return;
  if (one.which == part::behind_colon) return hide_behind(scan, found.span, ':');
  if (one.which == part::behind_percent) return hide_behind(scan, found.span, '%');
  if (one.which == part::behind_comma) return hide_behind(scan, found.span, ',');
  const bool hidden = begins_with(text, "[redacted");
  if (!hidden && (is_no_secret(text) || is_port_or_id(text))) return;
  const bool goes_on = one.which == part::mysqladmin || name == "-A" || name == "-X";
  if (!goes_on) scan.tool = -1;
  if (!hidden) scan.hide(found.span);
}

}  // namespace reeve
