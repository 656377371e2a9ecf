//! What the operating system says of a failed call, in both languages (the English is its own), and
//! plain files that come from elsewhere.

mod plain;

use std::fmt;
use std::io::{Error, ErrorKind};
use std::str::Utf8Error;

use ceremony::language::Bilingual;
use ceremony::says;
use rustix::io::Errno;

pub use plain::{PLAIN, Unread, names, read, read_opened};

/// Returns the reason of an I/O error. The error number is shown in both languages.
#[must_use]
pub fn said(error: &Error) -> Bilingual {
    let own = error.get_ref().and_then(|inner| inner.downcast_ref::<Ours>());
    if let Some(Ours(own)) = own {
        return own.clone();
    }
    let en = error.to_string();
    let known = of_kind(error.kind()).or_else(|| Errno::from_io_error(error).and_then(of_number));
    let ja = match (known, error.raw_os_error()) {
        (Some(ja), Some(number)) => format!("{ja}(os error {number})"),
        // The message of another library is added to our words.
        (Some(ja), None) if error.get_ref().is_some() => format!("{ja}({en})"),
        (Some(ja), None) => ja.to_string(),
        (None, _) => en.clone(),
    };
    Bilingual { ja, en }
}

/// Returns the reason why octets are not UTF-8.
#[must_use]
pub fn not_text(error: &Utf8Error) -> Bilingual {
    let good = error.valid_up_to();
    says!("UTF-8 でない文字列({good} オクテットの後)", "{error}")
}

/// Wraps our own words as an I/O error; [`said`] returns them unchanged.
#[must_use]
pub fn ours(words: Bilingual) -> Error {
    Error::other(Ours(words))
}

#[derive(Debug)]
struct Ours(Bilingual);

impl fmt::Display for Ours {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.en)
    }
}

impl std::error::Error for Ours {}

/// Returns the Japanese words for an error kind, if it is a common one.
fn of_kind(kind: ErrorKind) -> Option<&'static str> {
    let known = [
        (ErrorKind::NotFound, "ファイル又はフォルダーがない"),
        (ErrorKind::PermissionDenied, "許されていない"),
        (ErrorKind::AlreadyExists, "既にある"),
        (ErrorKind::NotADirectory, "フォルダーでない"),
        (ErrorKind::IsADirectory, "フォルダーである"),
        (ErrorKind::DirectoryNotEmpty, "空でないフォルダー"),
        (ErrorKind::CrossesDevices, "別のファイルシステムにまたがる"),
        (ErrorKind::ReadOnlyFilesystem, "書き込みのできないファイルシステム"),
        (ErrorKind::StorageFull, "空き容量がない"),
        (ErrorKind::QuotaExceeded, "割り当てられた容量を超える"),
        (ErrorKind::FileTooLarge, "ファイルが大きすぎる"),
        (ErrorKind::InvalidFilename, "使えないファイル名"),
        (ErrorKind::ResourceBusy, "使用中"),
        (ErrorKind::ExecutableFileBusy, "実行中のファイル"),
        (ErrorKind::WouldBlock, "今は応じられない"),
        (ErrorKind::Interrupted, "途中で割り込まれた"),
        (ErrorKind::InvalidInput, "正しくない指定"),
        (ErrorKind::InvalidData, "正しくない内容(UTF-8 でない等)"),
        (ErrorKind::UnexpectedEof, "途中で終わっている"),
        (ErrorKind::WriteZero, "全部は書けなかった"),
        (ErrorKind::BrokenPipe, "読む側が閉じている"),
        (ErrorKind::NotSeekable, "読み書きの位置を変えられない"),
        (ErrorKind::StaleNetworkFileHandle, "失われたファイル"),
        (ErrorKind::Unsupported, "対応していない操作"),
        (ErrorKind::OutOfMemory, "メモリーが足りない"),
        (ErrorKind::TimedOut, "時間切れ"),
        (ErrorKind::ConnectionRefused, "接続が拒まれた"),
    ];
    known.iter().find(|(of, _)| *of == kind).map(|(_, ja)| *ja)
}

/// Returns the Japanese words for an error number without an [`ErrorKind`] of its own.
fn of_number(errno: Errno) -> Option<&'static str> {
    Some(match errno {
        Errno::IO => "入出力エラー",
        Errno::NODEV | Errno::NXIO => "デバイスがない",
        Errno::NOMEDIUM => "媒体が入っていない",
        Errno::LOOP => "許されないリンク、又は多すぎるリンク",
        Errno::MFILE | Errno::NFILE => "開いているファイルが多すぎる",
        Errno::NOTTY => "端末でない",
        Errno::NOEXEC => "実行できない形式",
        Errno::BADF => "開かれていないファイル",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_system_are_said_in_japanese_too() {
        let missing = said(&Error::from_raw_os_error(2));
        assert_eq!(missing.ja, "ファイル又はフォルダーがない(os error 2)");
        assert_eq!(missing.en, "No such file or directory (os error 2)");
        assert_eq!(said(&Error::from_raw_os_error(5)).ja, "入出力エラー(os error 5)");
        assert_eq!(said(&Error::from(ErrorKind::UnexpectedEof)).ja, "途中で終わっている");
        let full = said(&Error::new(ErrorKind::StorageFull, "full at /x"));
        assert_eq!(
            (full.ja.as_str(), full.en.as_str()),
            ("空き容量がない(full at /x)", "full at /x")
        );
        assert_eq!(said(&Error::other("words")), Bilingual::plain("words"));
        let own = says!("別の媒体", "another medium");
        let error = ours(own.clone());
        assert_eq!((said(&error), error.to_string()), (own, "another medium".to_string()));
    }
}
